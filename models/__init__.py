"""What is measured: the networks, their structure, weights, sizes and published numbers."""

from models.errors import UserError
from models.published import Published
from models.zoo import Model, find, zoo

__all__ = ["Model", "Published", "UserError", "find", "zoo"]
