#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""numpy_cube.py: numpy.memmap in W6. Same command line and rows as the programs in C (bench.h)."""
import os
import sys
import time

if sys.argv[1:] == ["groups"]:
    import numpy  # noqa: F401: exits with an error, and is skipped, when it is missing
    print("cube")
    sys.exit(0)

import numpy as np

path = os.path.join(sys.argv[2], "bench.npy")
clock = time.thread_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.perf_counter
cube = np.memmap(path, dtype=np.uint8, mode="w+", shape=(256, 256, 256))
cube[:] = np.random.default_rng(1).integers(0, 256, size=cube.shape, dtype=np.uint8)
places = np.random.default_rng(2).integers(0, 256, size=(3, 200000))
scalar = [tuple(int(x) for x in places[:, i]) for i in range(20000)]


def row(workload, peer, count, work):
    times = []
    for _ in range(5):
        start = clock()
        work()
        times.append((clock() - start) / count * 1e9)
    print(f"{workload}\t{peer}\t{sorted(times)[2]:.6g}\tns", flush=True)


def read():
    for i, j, k in scalar:
        cube[i, j, k]


def write():
    for i, j, k in scalar:
        cube[i, j, k] = 1


row("W6 random read", "numpy scalar", len(scalar), read)
row("W6 random read", "numpy fancy", places.shape[1], lambda: cube[places[0], places[1], places[2]].sum())
row("W6 random write", "numpy scalar", len(scalar), write)


def put():
    cube[places[0], places[1], places[2]] = 1


row("W6 random write", "numpy fancy", places.shape[1], put)
row("W6 walk, [i][j][k]", "numpy", cube.size, lambda: cube.sum(dtype=np.uint64))
row("W6 sum as u64, a byte", "numpy", cube.size, lambda: cube.reshape(-1).view(np.uint64).sum())
os.unlink(path)
