"""Root names of a process that say nothing about exposed state: the one list of what the system itself puts there.

Read from HyperBEAM's sources (`dev_process`, `dev_stack`, `dev_patch`, `dev_genesis_wasm`, `dev_delegated_compute`,
`dev_wasm`, `dev_json_iface`, `dev_message`) and from recorded answers. What a process's own definition names comes on
top of it: spawn tags are root keys too, and are learnt per process, never listed here.
"""

from __future__ import annotations

# What the process device keeps of a process, on any execution device.
_PROCESS = frozenset(
    """at-slot initialized process results snapshot device execution-device scheduler-device push-device scheduler
    scheduler-location authority module type process-id""".split()
)
# What device stacks, WASM and its interfaces add (`genesis-wasm@1.0` alone has few of them). `count` is where the
# recorded Lua processes tally their messages, unasked and unpatched.
_EXECUTION = frozenset(
    """device-stack device-stack-previous device-key stack-keys error-strategy allow-multipass pass passes mode
    input-prefix input-prefixes output-prefix output-prefixes previous-device previous-input-prefix
    previous-output-prefix image function parameters patch-from patch-to patch-error on-boot stdlib vfs
    file-descriptors random-seed test-random-seed memory-limit compute-limit dedup count""".split()
)
# `patch@1.0` merges a whole patch message: beside the state it carries the fields that every ao message has.
_MESSAGE = frozenset(
    """action anchor data data-protocol from from-process from-module from-image from-base from-uncommitted id owner
    pushed-for reference sdk tags target variant content-type method path body message""".split()
)
# What codecs and HTTP add to any message.
_TRANSFER = frozenset(
    """accept accept-bundle ao-ids ao-result ao-types codec-device commitments content-digest content-disposition
    content-length date hashpath host inline-body-key multipart-boundary priv server signature signature-input status
    transfer-encoding user-agent""".split()
)

# Where our own handler says why it follows a key no more.
_HANDLER = frozenset({"statepatch"})

SYSTEM_KEYS = _PROCESS | _EXECUTION | _MESSAGE | _TRANSFER | _HANDLER
"""Lower-cased root names that are never exposed state."""

CERTAIN_KEYS = frozenset({"at-slot", "device", "process"})
"""Root names of every computed process: a root listing with none of them is no listing of a process's root."""
