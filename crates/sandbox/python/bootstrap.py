import json, os, sys
control = int(sys.argv[1])
if control != 3:
    os.dup2(control, 3, inheritable=False)
    os.close(control)
else:
    os.set_inheritable(3, False)
def take(count):
    data = b""
    while len(data) < count:
        piece = os.read(3, count - len(data))
        if not piece:
            os._exit(2)
        data += piece
    return data
setup = json.loads(take(int.from_bytes(take(4), "little")))
space = {"__name__": "stoa_zygote", "SETUP": setup}
exec(compile(setup["zygote"], "<zygote>", "exec"), space)
space["main"](setup)
