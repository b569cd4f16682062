"""Groups of networks of the zoo, which MODEL names with an `@`."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from system.names import select

if TYPE_CHECKING:
    from models.model import Model

# What `python -m bench` measures unless a MODEL is given.
DEFAULT = "@published"
# Of the baselines each says in which it is; of the ZenNets these are, by glob.
_ZENNETS = {
    "@figure": "zennet_*",  # the families of the published figure, as far as they can be had
    "@today": "",  # families that were published since, for the same uses
    "@mobile": "zennet_*_flops*",  # what a phone is compared on
}


def find_group(name: str, zoo: "Mapping[str, Model]") -> "list[Model]":
    """The networks of a group, in the order of the zoo. Raises UserError naming the groups where there is none."""
    from models.published import published

    groups = {DEFAULT: [model for model in zoo.values() if model.name in published()]}
    groups |= {group: [model for model in zoo.values() if _is_of(group, model)] for group in _ZENNETS}
    return list({model.name: model for found in select(name, groups, "group") for model in groups[found]}.values())


def _is_of(group: str, model: "Model") -> bool:
    from models.baselines import baselines

    named = any(model == each.model for each in baselines() if group.removeprefix("@") in each.groups)
    return named or fnmatchcase(model.name, _ZENNETS[group])
