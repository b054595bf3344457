"""matplotlib's WebAgg: the figure is drawn, and what changed since the last
drawing is sent as a PNG. See worker.go for what is said on standard input and
output."""

import json
import sys
import time

import matplotlib.dates
from matplotlib.backends.backend_webagg_core import (
    FigureCanvasWebAggCore,
    FigureManagerWebAgg,
)
from matplotlib.figure import Figure

POINTS = 1000
NAMES = ["web1", "web2", "web3", "web4"]

rows = [[float(x) for x in line.split(",")] for line in open(sys.argv[1])]
turns = len(rows) - POINTS
times = [row[0] / 86_400_000 for row in rows]  # matplotlib counts days
values = [[row[1 + s] for row in rows] for s in range(len(NAMES))]

figure = Figure(figsize=(8, 4), dpi=100)
canvas = FigureCanvasWebAggCore(figure)


class Socket:
    """The page's end of the socket: keeps the last picture."""

    png = b""

    def send_json(self, message):
        pass

    def send_binary(self, png):
        self.png = png


socket = Socket()
manager = FigureManagerWebAgg(canvas, 1)
manager.add_web_socket(socket)
axes = figure.add_subplot()
axes.set_title("Load")
axes.xaxis_date()
axes.grid(True)
lines = [axes.plot([], [], label=name)[0] for name in NAMES]
for line, series in zip(lines, values):
    line.set_data(times[:POINTS], series[:POINTS])
axes.relim()
axes.autoscale_view()
axes.legend(loc="upper left")


def refresh(i):
    for line, series in zip(lines, values):
        line.set_data(times[i : i + POINTS], series[i : i + POINTS])
    axes.set_xlim(times[i], times[i + POINTS - 1])
    canvas.draw()  # and sends
    return socket.png


last = b""
for i in range(5):
    last = refresh(i)
print("ready", flush=True)
for line in sys.stdin:
    command, *args = line.split()
    if command == "draw":
        with open(args[0], "wb") as f:
            f.write(last)
        print("{}", flush=True)
        continue
    sizes = []
    before = time.process_time()
    for _ in range(int(args[1])):
        i = (i + 1) % turns
        last = refresh(i)
        sizes.append(len(last))
    used = time.process_time() - before
    print(json.dumps({"us": used * 1e6, "sizes": sizes}), flush=True)
