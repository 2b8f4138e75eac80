#!/usr/bin/env bash
# Trains what ships, on a GPU, in as many calls as it takes: each call goes on where the last one stopped.
#
#   edgegan-widget pack OBJECTS14 --for projected --sketches SKETCHES ... --out runs/objects14_128.npz
#   edgegan-widget pack OBJECTS14 --for projected --size 256 --sketches SKETCHES ... --out runs/objects14_256.npz
#   edgegan-widget pack OBJECTS14 --out runs/objects14.npz                 # all once, where the pictures are
#   models/train.sh runs/objects14_128.npz OUT MINUTES projected128        # again and again, OUT kept between calls
#   models/train.sh runs/objects14_256.npz OUT MINUTES projected256
#   models/train.sh runs/objects14.npz OUT MINUTES paper
#   models/train.sh runs/objects14.npz OUT MINUTES prove                   # CUDA tests and figures
#
# People's drawings are taken from the packed file itself; SKETCHES= trains without, SKETCHES="A B" takes folders.
# EPOCHS, BATCH, WIDTH and PRECISION change what is set below; DEVICE=cpu OPTIONS="--crop 1" and the like try it out.
#
# OUT/NAME is a run folder, OUT/NAME-model what to ship of it, with evaluation.json and samples.png. Training states are
# large (the paper's is 550 MB): keep OUT on the machine with the GPU and bring only the *-model folders back.
set -eu
data=$1 out=$2 minutes=$3 name=$4
device=${DEVICE:-cuda}
sketches=${SKETCHES-$data}
mkdir -p "$out"

go_on() { # options of edgegan-widget train
  local run=$out/$name resume=
  [ -f "$run/checkpoints/last.pt" ] && resume=--resume
  # The signal ends the run after a whole step, with everything saved.
  timeout --signal=TERM "$((minutes * 60))" \
    python3 -m edgegan_widget train "$data" --out "$run" --device "$device" --quiet $resume "$@" ${OPTIONS:-} || true
  python3 -m edgegan_widget export "$run" --out "$run-model"
  python3 -m edgegan_widget evaluate "$run-model" --data "$data" --device "$device" --robustness 0 --swapped 0 \
    --colour-seeds 0 --out "$run-model/evaluation" --samples "$run-model/samples.png"
}

projected() { # side in pixels
  go_on --preset projected --size "$1" ${sketches:+--sketches $sketches} --epochs "${EPOCHS:-200}" \
    --batch-size "${BATCH:-64}" --width "${WIDTH:-64}" --precision "${PRECISION:-auto}"
}

case $name in
  projected128) projected 128 ;;
  projected256) projected 256 ;;
  paper) go_on --preset paper --epochs "${EPOCHS:-100}" --precision "${PRECISION:-bfloat16}" ;;
  prove)
    python3 -m pytest tests -q -k "cuda or captured" | tee "$out/cuda_tests.txt"
    python3 -m tests.benchmarks draw --device "$device" --json "$out/bench.json"
    python3 -m tests.benchmarks train --device "$device" --json "$out/bench_train.json"
    ;;
  *) echo "$name is none of projected128, projected256, paper, prove" >&2; exit 2 ;;
esac
