"""Names that weights cannot go by: what torch's modules call their own attributes, and what Python cannot write.

A weight `mlp.linear.weight` is an attribute of modules, so that `state_dict` has the names of the text.
"""

import keyword

TORCH_NAMES = frozenset(
    (
        *("T_destination", "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile"),
        *("cpu", "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer"),
        *("get_extra_state", "get_parameter", "get_submodule", "half", "ipu", "load_state_dict", "modules", "mtia"),
        *("named_buffers", "named_children", "named_modules", "named_parameters", "parameters"),
        *("register_backward_hook", "register_buffer", "register_forward_hook", "register_forward_pre_hook"),
        *("register_full_backward_hook", "register_full_backward_pre_hook", "register_load_state_dict_post_hook"),
        *("register_load_state_dict_pre_hook", "register_module", "register_parameter"),
        *("register_state_dict_post_hook", "register_state_dict_pre_hook", "requires_grad_", "set_extra_state"),
        *("set_submodule", "share_memory", "state_dict", "to", "to_empty", "train", "training", "type", "xpu"),
        *("zero_grad",),
    )
)
"""Public attributes of torch.nn.Module; a test compares them."""


def names_no_weight(name: str) -> str:
    """What stands in the way of weights under a name, or ""."""
    if name in TORCH_NAMES or name.startswith("_"):
        return "a name of torch's modules"
    return "a word of Python" if keyword.iskeyword(name) else ""
