"""Runs a program under a systemd unit's SystemCallFilter: filter.py UNIT USER-ID PROGRAM …"""
import errno, os, re, subprocess, sys
import seccomp

unit, user = sys.argv[1], int(sys.argv[2])

def calls(name):
    """The calls of a set, those of sets in it included."""
    if not name.startswith("@"):
        return {name}
    lines = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    inner = [line.strip() for line in lines.splitlines()[1:]]
    return set().union(*(calls(one) for one in inner if one and not one.startswith("#")))

allowed = set()
for line in re.findall(r"^SystemCallFilter=(.*)$", open(unit).read(), re.M):
    names = set().union(*(calls(name) for name in line.lstrip("~").split()))
    allowed = allowed - names if line.startswith("~") else allowed | names
# systemd itself needs these to start the program.
allowed |= calls("@default") | {"execve"}
os.setgid(user)
os.setuid(user)
rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
for name in allowed:
    try:
        rules.add_rule(seccomp.ALLOW, name)
    except (RuntimeError, OSError, ValueError):
        pass  # Not a call of this kind of machine.
rules.load()
os.execv(sys.argv[3], sys.argv[3:])
