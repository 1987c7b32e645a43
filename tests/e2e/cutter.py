"""cutter - stands between the program and a server, and fails at one piece of what passes between them."""
import dataclasses
import select
import socket
import struct
import threading
import time

LATE_S = 0.5


@dataclasses.dataclass(frozen=True)
class Fault:
    """Of one piece, `share` gets through (0.5: its first half; SHORT: all but the last byte); and then ... """

    share: float
    then: str  # "close" and "reset": the connection; "half-close": to the program; "silence": nothing passes more
    #            "late": reset for the program, and the rest comes to the server after all, when that is over
    #            "slow": the rest follows, a while later
    away: bool = False  # and the server is not to be reached until heal()

    SHORT = -1

    def part(self, data):
        return data[:-1] if self.share == self.SHORT else data[:int(len(data) * self.share)]


class Cutter:
    """`connect` makes a connection to the server; the program's go to 127.0.0.1:`port`."""

    def __init__(self, connect):
        self.connect, self.lock = connect, threading.Lock()
        self.n, self.fault, self.away = 0, None, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, n, fault):
        """The n-th piece from now, in whichever direction."""
        with self.lock:
            self.n, self.fault = n, fault

    def heal(self):
        """True: no piece has met the fault."""
        with self.lock:
            untouched, self.fault, self.away = self.fault is not None, None, False
        return untouched

    def leave(self):
        """The server is away until heal()."""
        with self.lock:
            self.away = True

    def _accept(self):
        while True:
            client = self.listener.accept()[0]
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client):
        """One thread for both directions, so that nobody waits on a socket that is reset."""
        server = None
        try:
            server = None if self.away else self.connect()
            to = {client: server, server: client} if server else {}
            while to and not self.away:
                for source in select.select(list(to), [], [], 0.05)[0]:
                    if not self._pass_on(source, to, client):
                        return
        except OSError:
            pass
        finally:
            reset(client)
            if server:
                server.close()

    def _pass_on(self, source, to, client):
        data, fault = source.recv(65536), None
        if not data:
            to.pop(source).shutdown(socket.SHUT_WR)
            return bool(to)
        with self.lock:
            self.n -= 1
            if self.n == 0 and self.fault:
                fault, self.fault, self.away = self.fault, None, self.fault.away
        to[source].sendall(fault.part(data) if fault else data)
        return not fault or self._fail(fault, data, source, to, client)

    @staticmethod
    def _fail(fault, data, source, to, client):
        """False: nothing passes on this connection any more."""
        if fault.then == "slow":
            time.sleep(LATE_S)
            to[source].sendall(data[len(fault.part(data)):])
            return True
        if fault.then == "half-close":
            client.shutdown(socket.SHUT_WR)
            return to.pop(next(s for s in to if s is not client), None) is not None
        if fault.then == "silence":
            while client.recv(65536):
                continue
        if fault.then == "close":
            client.shutdown(socket.SHUT_RDWR)
        if fault.then == "late":
            reset(client)
            time.sleep(LATE_S)
            to[source].sendall(data[len(fault.part(data)):])
            time.sleep(LATE_S)
        return False


def reset(s):
    """The other side hears RST, unless FIN was said before."""
    if s.fileno() >= 0:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
