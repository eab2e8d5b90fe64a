"""Reads formulas over words (bit vectors) as formulas over integers.

Every assignment that satisfies the words satisfies the integers: so when no integers do, no words do. The way back is not claimed:
a solution over integers has to be tried on the words.

Every term is read as an integer with a range. Sums and products are taken modulo 2^n only where their range says that they could
leave it; quotients are integers q, r with x = q·y + r and r < y. Of what is not arithmetic (arrays, hashes, xor) nothing is known
but that the same term has the same value.
"""

import z3
from z3 import And, If, Implies, Int, IntVal, Not, Or


class Reading:
    """The formulas over integers are in `formulas`."""

    def __init__(self, formulas):
        self._words, self._memo, self._most, self._facts, self._count = [], {}, {}, [], 0
        self._kept = formulas  # ids of terms are theirs as long as the terms live
        for formula in formulas:
            self._note(formula)
        read = [self._truth(formula) for formula in formulas]
        self.formulas = read + self._facts

    def values(self, model):
        """What a model over the integers says of the words."""
        return [(word, model.eval(x, model_completion=True).as_long()) for word, x in self._words]

    def _note(self, formula):
        """Of `x = 0…0 ++ x[h:0]` takes the bound of x: so halmos says how wide a parameter is."""
        if formula.decl().kind() != z3.Z3_OP_EQ or not z3.is_bv(formula.arg(0)):
            return
        for x, y in (formula.children(), reversed(formula.children())):
            if y.decl().kind() != z3.Z3_OP_CONCAT or y.num_args() != 2:
                continue
            zero, part = y.children()
            if not z3.is_bv_value(zero) or zero.as_long() != 0 or part.decl().kind() != z3.Z3_OP_EXTRACT:
                continue
            high, low = part.params()
            if low == 0 and part.arg(0).eq(x):
                self._most[x.get_id()] = (1 << (high + 1)) - 1

    def _fresh(self, low, high):
        self._count += 1
        x = Int("!%d" % self._count)
        self._facts += [x >= low, x <= high]
        return x

    def _reduced(self, read, n):
        """Modulo 2^n."""
        x, low, high = read
        m = 1 << n
        if low >= 0 and high < m:
            return read
        if low >= -m and high < m:
            return If(x < 0, x + m, x), 0, m - 1
        rest = self._fresh(0, m - 1)
        self._facts.append(x == self._fresh(low // m, high // m) * m + rest)
        return rest, 0, m - 1

    def _once(self, kind, term, how):
        key = kind, term.get_id()
        if key not in self._memo:
            self._memo[key] = how(term)
        return self._memo[key]

    def _congruent(self, term):
        """An integer, with its range, that is the word's value modulo 2^n."""
        return self._once("congruent", term, self._read_congruent)

    def _value(self, term):
        """The word's value, from 0 to 2^n - 1, and its range."""
        return self._once("value", term, self._read_value)

    def _truth(self, formula):
        return self._once("truth", formula, self._read_truth)

    def _read_congruent(self, term):
        op, args = term.decl().kind(), term.children()
        if op == z3.Z3_OP_BADD:
            parts = [self._congruent(a) for a in args]
            return z3.Sum([p[0] for p in parts]), sum(p[1] for p in parts), sum(p[2] for p in parts)
        if op == z3.Z3_OP_BSUB and len(args) == 2:
            (x, x0, x1), (y, y0, y1) = map(self._congruent, args)
            return x - y, x0 - y1, x1 - y0
        if op == z3.Z3_OP_BNEG:
            x, low, high = self._congruent(args[0])
            return -x, -high, -low
        if op == z3.Z3_OP_BMUL and len(args) == 2 and any(map(z3.is_bv_value, args)):
            factor, other = args if z3.is_bv_value(args[0]) else reversed(args)
            x, low, high = self._congruent(other)
            c = factor.as_signed_long()
            return c * x, min(c * low, c * high), max(c * low, c * high)
        if op == z3.Z3_OP_EXTRACT and term.params()[1] == 0:
            return self._congruent(args[0])
        return self._value(term)

    def _read_value(self, term):
        n, op, args = term.size(), term.decl().kind(), term.children()
        most = (1 << n) - 1
        if z3.is_bv_value(term):
            return IntVal(term.as_long()), term.as_long(), term.as_long()
        if op == z3.Z3_OP_UNINTERPRETED and not args:
            most = self._most.get(term.get_id(), most)
            x = self._fresh(0, most)
            self._words.append((term, x))
            return x, 0, most
        constant = op == z3.Z3_OP_BMUL and len(args) == 2 and any(map(z3.is_bv_value, args))
        if constant or op in (z3.Z3_OP_BADD, z3.Z3_OP_BNEG) or (op == z3.Z3_OP_BSUB and len(args) == 2):
            return self._reduced(self._congruent(term), n)
        if op == z3.Z3_OP_BMUL:
            x = self._value(args[0])
            for y in map(self._value, args[1:]):
                x = self._reduced((x[0] * y[0], x[1] * y[1], x[2] * y[2]), n)
            return x
        if op == z3.Z3_OP_CONCAT:
            x, low, high = IntVal(0), 0, 0
            for arg in args:
                y, shift = self._value(arg), 1 << arg.size()
                x, low, high = x * shift + y[0], low * shift + y[1], high * shift + y[2]
            return x, low, high
        if op == z3.Z3_OP_ZERO_EXT:
            return self._value(args[0])
        if op == z3.Z3_OP_EXTRACT:
            return self._read_part(args[0], term.params()[1], n)
        if op in (z3.Z3_OP_BUDIV, z3.Z3_OP_BUDIV_I, z3.Z3_OP_BUREM, z3.Z3_OP_BUREM_I):
            q, r = self._divided(*args)
            (x, _, high), (y, least, _) = self._value(args[0]), self._value(args[1])
            is_quotient = op in (z3.Z3_OP_BUDIV, z3.Z3_OP_BUDIV_I)
            if least > 0:
                return q if is_quotient else r, 0, high
            # By zero: all ones, and the dividend, as SMT-LIB has it.
            return If(y == 0, most if is_quotient else x, q if is_quotient else r), 0, most
        if op == z3.Z3_OP_ITE:
            (x, x0, x1), (y, y0, y1) = self._value(args[1]), self._value(args[2])
            return If(self._truth(args[0]), x, y), min(x0, y0), max(x1, y1)
        return self._fresh(0, most), 0, most

    def _read_part(self, term, low, n):
        """Bits from `low` on, n of them."""
        if low == 0:
            return self._reduced(self._congruent(term), n)
        x, least, most = self._value(term)
        rest = self._fresh(0, (1 << low) - 1)
        q = self._fresh(least >> low, most >> low)
        self._facts.append(x == q * (1 << low) + rest)
        return self._reduced((q, least >> low, most >> low), n)

    def _divided(self, dividend, divisor):
        key = "divided", dividend.get_id(), divisor.get_id()
        if key not in self._memo:
            (x, _, most), (y, _, _) = self._value(dividend), self._value(divisor)
            q, r = self._fresh(0, most), self._fresh(0, most)
            self._facts.append(Implies(y > 0, And(x == q * y + r, r < y)))
            self._memo[key] = q, r
        return self._memo[key]

    def _read_truth(self, formula):
        op, args = formula.decl().kind(), formula.children()
        if z3.is_true(formula) or z3.is_false(formula):
            return formula
        if op == z3.Z3_OP_AND:
            return And([self._truth(a) for a in args])
        if op == z3.Z3_OP_OR:
            return Or([self._truth(a) for a in args])
        if op == z3.Z3_OP_NOT:
            return Not(self._truth(args[0]))
        if op == z3.Z3_OP_IMPLIES:
            return Implies(self._truth(args[0]), self._truth(args[1]))
        if op in (z3.Z3_OP_EQ, z3.Z3_OP_DISTINCT) and len(args) == 2 and not z3.is_array(args[0]):
            same = self._same(*args)
            return same if op == z3.Z3_OP_EQ else Not(same)
        orders = {
            z3.Z3_OP_ULEQ: lambda x, y: x <= y,
            z3.Z3_OP_ULT: lambda x, y: x < y,
            z3.Z3_OP_UGEQ: lambda x, y: x >= y,
            z3.Z3_OP_UGT: lambda x, y: x > y,
        }
        if op in orders:
            return orders[op](self._value(args[0])[0], self._value(args[1])[0])
        self._count += 1
        return z3.Bool("!%d" % self._count)

    def _same(self, a, c):
        if z3.is_bool(a):
            return self._truth(a) == self._truth(c)
        return self._value(a)[0] == self._value(c)[0]
