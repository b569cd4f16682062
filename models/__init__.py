"""What is measured: the networks, their structure, weights, sizes and published numbers."""

from models.model import Model
from models.published import Published
from models.zoo import find, zoo
from system.errors import UserError

__all__ = ["Model", "Published", "UserError", "find", "zoo"]
