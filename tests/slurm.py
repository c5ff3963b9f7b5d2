"""A Slurm of one machine: `sbatch`, `srun`, `squeue` and `scancel` as far as submitit and archspec ask them.

`install(folder)` writes these commands into a folder, to be put first in PATH. The tasks of a job run side by side as
processes of this machine; those in the queue are the files in `folder/queue`, each with the number of its process.
"""

import sys
from pathlib import Path

SBATCH = """\
import os, re, subprocess, sys
text, folder = open(sys.argv[1]).read(), os.path.dirname(os.path.abspath(__file__))
with open(folder + "/handed_in", "a") as file:
    file.write("\\n".join(re.findall(r"#SBATCH (.*)", text)) + "\\n--\\n")
if "partition=no" in text:
    sys.exit("sbatch: error: invalid partition specified: no")
number = len(open(folder + "/handed_in").read().split("--\\n")) + 99
array = re.search(r"#SBATCH --array=0-(\\d+)", text)
for task in range(int(array[1]) + 1) if array else [None]:
    one = f"{number}" if task is None else f"{number}_{task}"
    told = {"SLURM_JOB_ID": one, "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_NTASKS": "1",
            "SLURM_JOB_NUM_NODES": "1", "SLURM_JOB_NODELIST": "here"}
    if task is not None:
        told |= {"SLURM_ARRAY_JOB_ID": str(number), "SLURM_ARRAY_TASK_ID": str(task)}
    program = f"bash {sys.argv[1]}; rm -f {folder}/queue/{one}"
    process = subprocess.Popen(["bash", "-c", program], env=os.environ | told, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(f"{folder}/queue/{one}", "w") as file:
        file.write(str(process.pid))
print(f"Submitted batch job {number}")
"""

SRUN = """\
import os, sys
while sys.argv[1].startswith("--"):
    del sys.argv[1 : 2 if sys.argv[1] == "--unbuffered" else 3]
os.execvp(sys.argv[1], sys.argv[1:])
"""

SQUEUE = """\
import os
print("\\n".join(os.listdir(os.path.dirname(os.path.abspath(__file__)) + "/queue")))
"""


def install(folder: Path) -> None:
    (folder / "queue").mkdir(parents=True)
    (folder / "handed_in").touch()
    for name, text in (("sbatch", SBATCH), ("srun", SRUN), ("squeue", SQUEUE)):
        (folder / f"{name}.py").write_text(text)
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} -S {folder / name}.py "$@"\n')
        (folder / name).chmod(0o755)
