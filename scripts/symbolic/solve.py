"""Decides a query of halmos: the solver that halmos is given.

    solve.py query.smt2            prints sat and a model, unsat, or unknown
    solve.py --selftest seed       holds integers.py against z3 on drawn formulas

Halmos asks twice: first with products and quotients as functions of which nothing is known, which yices decides at once; and
where that does not do, with what they are. Then the words are read as integers (integers.py), whose products z3 handles where bit
for bit no solver does; a counterexample counts only if the query itself holds for it. What that cannot decide goes to yices.

Each way has so many seconds of the processor's time, not of the clock's: a busy machine decides as much as a quiet one, later.
"""

import os
import random
import resource
import subprocess
import sys

import z3

import integers

SECONDS = 60  # of the processor, for each way


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def yices(path):
    program = os.path.join(os.path.dirname(sys.executable), "yices-smt2")
    command = [program, "--smt2-model-format", "--bvconst-in-decimal", path]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=limit).stdout or "unknown\n"


def limited(work):
    """What work gives, or unknown where it takes too long or fails: it is done by a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        limit()
        with os.fdopen(write, "w") as out:
            out.write(work())
            out.flush()
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    return said if status == 0 else "unknown\n"


def by_integers(text, seconds=None):
    """unsat, sat with a model of the query, or unknown"""
    formulas = z3.parse_smt2_string(text)
    reading = integers.Reading(formulas)
    solver = z3.Solver()
    if seconds:
        solver.set("timeout", seconds * 1000)
    solver.add(reading.formulas)
    verdict = solver.check()
    if verdict == z3.unsat:
        return "unsat\n"
    if verdict == z3.sat:
        return confirmed(formulas, reading.values(solver.model()))
    return "unknown\n"


def confirmed(formulas, values):
    solver = z3.Solver()
    solver.add(formulas)
    solver.add([word == value for word, value in values])
    if solver.check() != z3.sat:
        return "unknown\n"
    lines = ["(define-fun |%s| () (_ BitVec %d) (_ bv%d %d))" % (word.decl().name(), word.size(), value, word.size()) for word, value in values]
    return "sat\n(\n" + "\n".join(lines) + "\n)\n"


def decide(path):
    with open(path) as file:
        text = file.read()
    if "(declare-fun f_evm_" in text:
        return yices(path)
    said = limited(lambda: by_integers(text))
    return said if not said.startswith("unknown") else yices(path)


def drawn(rng, depth, words):
    """A term over words, all of one size."""
    if depth == 0:
        return rng.choice(words + [z3.BitVecVal(rng.randrange(1 << words[0].size()), words[0].size())])
    a, c = drawn(rng, depth - 1, words), drawn(rng, depth - 1, words)
    n = words[0].size()
    h = rng.randrange(n)
    low = rng.randrange(h + 1)
    part = z3.Extract(h, low, a)
    padded = part if part.size() == n else z3.Concat(z3.BitVecVal(0, n - part.size()), part)
    return rng.choice([a + c, a - c, a * c, z3.UDiv(a, c), z3.URem(a, c), padded, -a, a * z3.BitVecVal(rng.randrange(1 << n), n), z3.If(z3.ULE(a, c), a, c), a ^ c])


def selftest(seed):
    rng = random.Random(seed)
    seen = {"sat": 0, "unsat": 0}
    for _ in range(150):
        words = [z3.BitVec(name, rng.choice([3, 4])) for name in "ab"]
        words[1] = z3.BitVec("b", words[0].size())
        relation = [z3.ULE, z3.ULT, z3.UGE, z3.UGT, lambda a, c: a == c, lambda a, c: a != c]
        formulas = [rng.choice(relation)(drawn(rng, 2, words), drawn(rng, 2, words)) for _ in range(3)]
        direct = z3.Solver()
        direct.add(formulas)
        wanted = str(direct.check())
        said = by_integers(direct.to_smt2(), 1).split()[0]
        if said == "unknown":
            continue
        if said != wanted:
            sys.exit("z3 says %s, integers.py %s: %s" % (wanted, said, formulas))
        seen[said] += 1
    if min(seen.values()) < 20:
        sys.exit("too few formulas were decided: %s" % seen)
    print("integers.py agrees with z3 on %d formulas, of which %d hold for no values" % (sum(seen.values()), seen["unsat"]))


if __name__ == "__main__":
    if sys.argv[1] == "--selftest":
        selftest(int(sys.argv[2]))
    else:
        sys.stdout.write(decide(sys.argv[1]))
