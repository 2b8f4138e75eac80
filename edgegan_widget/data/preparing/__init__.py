"""Sources -> data folder: :mod:`plan` says what to prepare, :mod:`build` does it, at once or as a job (:mod:`jobs`).

One source is :mod:`making`'s: it is cut out (:mod:`cutout`) and measured. :mod:`build` has it done for all of them in a
:mod:`pool` of processes, :mod:`journal` keeps what is made already, :mod:`finish` judges, splits and writes the
manifest, and :mod:`edging` keeps edge maps.
"""
