"""Groups of networks of the zoo, which MODEL names with an `@`."""

from collections.abc import Mapping

from models.model import Model
from models.published import published
from system.names import select

# What `python -m bench` measures unless a MODEL is given.
DEFAULT = "@published"


def find_group(name: str, zoo: Mapping[str, Model]) -> list[Model]:
    """The networks of a group, in the order of the zoo. Raises UserError naming the groups where there is none."""
    groups = {DEFAULT: [model for model in zoo.values() if model.name in published()]}
    return list({model.name: model for found in select(name, groups, "group") for model in groups[found]}.values())
