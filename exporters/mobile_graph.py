"""A traced network as converters to mobile formats want it: poolings keep their axes, products broadcast."""

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


def drop_expands(traced: Any) -> None:
    """Let products in a traced module broadcast their factors, which some networks expand to a whole map first.

    With channels last, litert-torch 0.10 expands them to the shape of channels first: its converter then refuses the
    product of timm's efficient channel attention.
    """
    import torch

    expands = (torch.ops.aten.expand.default, torch.ops.aten.expand_as.default)
    product = torch.ops.aten.mul.Tensor
    for node in list(traced.graph.nodes):
        if node.target in expands and all(_is_product_of_map(user, node, product) for user in node.users):
            node.replace_all_uses_with(node.args[0])
            traced.graph.erase_node(node)
    traced.recompile()


def _is_product_of_map(node: Any, expanded: Any, product: Any) -> bool:
    """Whether a node multiplies what is expanded with a map that has that shape by itself."""
    if node.target is not product:
        return False
    others = [factor for factor in node.args if factor is not expanded]
    return len(others) == 1 and bool(others[0].meta["val"].shape == expanded.meta["val"].shape)
