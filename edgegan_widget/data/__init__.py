"""Photos -> training data: cut-outs on white, audited, with a manifest; nothing here loads torch or widgets.

Readers (:mod:`readers`, one file a kind of source) list sources (:mod:`sources`); :mod:`preparing` turns each into
cut-outs with measures, on all cores, judges them by :mod:`audit`, splits them and writes the manifest; :mod:`catalog`
leafs through what is there, :mod:`look` shows a picture as training may see it.
"""
