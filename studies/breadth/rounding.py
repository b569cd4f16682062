"""How far torch in FP32 lies from torch in FP64: what the limit of an FP32 file's fidelity has to leave room for.

python -m studies.breadth.rounding     # every network of the list that data/rounding.csv lacks
"""

import csv
import sys
from pathlib import Path

from exporters.fidelity import measure_fidelity
from models import find
from models.images import synthetic_images
from studies.breadth.attempts import Network, read_networks

DATA = Path(__file__).with_name("data") / "rounding.csv"
# The images of the check of a file (exporters/fidelity.py).
_IMAGES, _SEED = 2, 1


def main() -> None:
    known = read_rounding()
    with DATA.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not file.tell():
            writer.writerow(["network", "relative_error"])
        for network in read_networks():
            if network.name not in known:
                writer.writerow([network.name, f"{rounding(network):.2e}"])
                file.flush()
                print(network.name, file=sys.stderr)


def rounding(network: Network) -> float:
    """The largest difference between its FP32 and FP64 logits over the largest logit, on the same seeded images."""
    import torch

    (model,) = find(network.source)
    module = model.build()
    images = torch.from_numpy(synthetic_images(_IMAGES, model.resolution_px, seed=_SEED))
    with torch.inference_mode():
        rounded = module(images).numpy()
        exact = module.double()(images.double()).numpy()
    return measure_fidelity(exact, rounded.astype("float64")).relative_error


def read_rounding(path: Path = DATA) -> dict[str, float]:
    """The relative error of each network; none where there is no file."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["network"]: float(row["relative_error"]) for row in csv.DictReader(file)}


if __name__ == "__main__":
    main()
