"""Photos -> training data: cut-outs on white, audited, with a manifest; nothing here loads torch or widgets.

Readers (:mod:`coco`, :mod:`sketchycoco`, :mod:`folders`, :mod:`pairs`, :mod:`synthetic`) list sources; :mod:`build`
turns each into cut-outs with measures, on all cores; :mod:`finish` judges them, splits them and writes the manifest.
"""
