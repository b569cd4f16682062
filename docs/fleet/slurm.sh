#!/bin/bash
# A batch script for Slurm: two hosts, one with a V100 and one with a T4, measured by one command. Ray's symmetric-run
# starts Ray on every host of the job, runs the command on the first one, and when that has ended stops whatever this user
# runs of Ray on these hosts.
#
#   sbatch docs/fleet/slurm.sh v100 t4
#
# Run once before, on a host of each kind: make host-v100, make host-t4. The checkout lies on a path that all hosts
# share, or on the same path of each.
#SBATCH --job-name=zennet-latency
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --gpus-per-node=1
#SBATCH --time=04:00:00
set -euo pipefail

cd "${SLURM_SUBMIT_DIR:-$PWD}"
targets=("${@:-cpu}")
# Not `| head`, which would end scontrol before it has said all, and with it this script.
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${hosts%%$'\n'*}

# Who has the token may run anything on these hosts: it is made once, readable by this user alone, in the home folder
# that the hosts share.
export RAY_AUTH_MODE=token
export RAY_USAGE_STATS_ENABLED=0
export PATH="$PWD/.venv/bin:$PATH"
[ -s ~/.ray/auth_token ] || ray get-auth-token --generate >/dev/null

srun ray symmetric-run \
  --address "$head:6379" --min-nodes "$SLURM_JOB_NUM_NODES" --include-dashboard=false -- \
  python -m bench "${targets[@]}" --ray auto --results results
python -m reports render --results results --out out
