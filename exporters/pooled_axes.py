"""Global poolings of a traced network that keep their axes, as converters to mobile formats want them."""

from typing import Any


def keep_pooled_axes(traced: Any) -> None:
    """Make the means over both axes of a map in a traced module keep them, and flatten behind them.

    Dropping the axes would cost TFLite a TRANSPOSE to NCHW; XNNPACK takes no such mean from ExecuTorch.
    """
    import torch

    mean, flatten = torch.ops.aten.mean.dim, torch.ops.aten.flatten.using_ints
    for node in list(traced.graph.nodes):
        if node.target is mean and list(node.args[1]) == [2, 3] and node.args[2:3] != (True,):
            node.args = (node.args[0], [2, 3], True)
            with traced.graph.inserting_after(node):
                flat = traced.graph.call_function(flatten, (node, 1))
            node.replace_all_uses_with(flat, delete_user_cb=lambda user, flat=flat: user is not flat)
    traced.recompile()
