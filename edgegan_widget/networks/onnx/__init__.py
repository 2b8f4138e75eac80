"""Models as ONNX files, which are drawn with without torch: ``model.onnx`` and ``guess.onnx`` in a model's folder."""
