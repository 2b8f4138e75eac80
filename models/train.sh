#!/usr/bin/env bash
# Trains what ships, on a GPU, in as many calls as it takes: each call goes on where the last one stopped.
#
#   edgegan-widget pack OBJECTS14 --out runs/objects14.npz     # once, where the pictures are
#   models/train.sh runs/objects14.npz OUT [MINUTES]           # again and again, OUT kept between calls
#
# The paper's recipe (100 epochs at batch 64) and a wider compact run share the minutes. OUT/paper and OUT/compact are
# run folders; OUT/*/validation.json says which is the better one.
set -eu
data=$1 out=$2 minutes=${3:-9}
device=${DEVICE:-cuda}
share=$((minutes * 60 / 2))
mkdir -p "$out"

go_on() { # name, then options of edgegan-widget train
  local run=$out/$1 resume=
  shift
  [ -f "$run/checkpoints/last.pt" ] && resume=--resume
  # The signal ends the run after a whole step, with everything saved.
  timeout --signal=TERM "$share" python3 -m edgegan_widget train "$data" --out "$run" --device "$device" $resume "$@" || true
}

go_on compact --preset compact --width "${WIDTH:-64}" --batch-size 64 --epochs "${EPOCHS:-300}"
go_on paper --preset paper --epochs 100
for run in compact paper; do
  [ -d "$out/$run/model" ] || continue
  python3 -m edgegan_widget validate "$data" --model "$out/$run" --device "$device" --out "$out/$run"
done
