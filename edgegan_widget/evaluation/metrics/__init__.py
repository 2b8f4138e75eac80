"""What a model is worth, one file a question: always features -> statistics -> number.

Every function is pure and works in float64 on features [N, D] or on uint8 pictures; where the features come from is the
business of :mod:`~edgegan_widget.evaluation.metrics.extractor` alone.
"""
