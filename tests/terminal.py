"""Runs a command at a terminal of its own and types at it; prints what was on the screen, and the code, as JSON.

    terminal.py WAIT-FOR TYPE COMMAND...

When WAIT-FOR is on the screen, TYPE is typed: `{digest}` in it is the digest that the screen asks for, `<end>` is the key that ends input, and
`<hang up>` closes the terminal. Standard input of the command is the terminal, or, where the variable PIPED is set, a pipe with answers
that nobody typed.
"""

import fcntl
import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time

wait_for, typed, *command = sys.argv[1:]
screen, keyboard = pty.openpty()


def own_terminal():
    os.setsid()
    fcntl.ioctl(keyboard, termios.TIOCSCTTY, 0)


is_piped = "PIPED" in os.environ
stdin = subprocess.PIPE if is_piped else keyboard
process = subprocess.Popen(
    command, stdin=stdin, stdout=keyboard, stderr=keyboard, preexec_fn=own_terminal, pass_fds=[keyboard]
)
if is_piped:
    process.stdin.write(b"0000-0000-0000\nyes\n")
    process.stdin.close()
os.close(keyboard)
shown, is_typed, until = b"", False, time.monotonic() + 30
while screen is not None and time.monotonic() < until:
    if select.select([screen], [], [], 0.1)[0]:
        try:
            part = os.read(screen, 65536)
        except OSError:  # How Linux says that nobody writes there any more.
            break
        if not part:
            break
        shown += part
    if not is_typed and wait_for.encode() in shown:
        is_typed = True
        digest = re.findall(rb"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}", shown)
        if typed == "<hang up>":
            os.close(screen)
            screen = None
        else:
            text = typed.replace("{digest}", digest[-1].decode() if digest else "").replace("<end>", "\x04")
            os.write(screen, text.encode() + (b"" if "<end>" in typed else b"\n"))
code = process.wait(30)
print(json.dumps({"screen": shown.decode(errors="replace"), "typed": is_typed, "code": code}))
