"""Days walked one at a time over a year: each warning before its limit, none without a reason."""

import random
from datetime import date, timedelta

from tests.proofs.common import Outcome, Scale

# Written anew from public-site.md, section 9: two weeks, six months, three months.
LIMITS = {"home": 14, "notices": 182, "statistics": 91}
DAYS = {Scale.QUICK: 400, Scale.FIRST: 20_000, Scale.AIM: 200_000}


def prove(*, seed: int, scale: Scale) -> Outcome:
    from cms.freshness import Part, warnings

    chance, problems, warned, late = random.Random(seed), [], 0, 0
    today, last = date(2026, 1, 1), dict.fromkeys(Part, date(2026, 1, 1))
    for _ in range(DAYS[scale]):
        today += timedelta(days=1)
        for part in Part:
            if chance.random() < 1 / (LIMITS[part.value] * 0.9):
                last[part] = today
        found = {warning.part: warning for warning in warnings(last, today)}
        for part in Part:
            stood, limit = (today - last[part]).days, LIMITS[part.value]
            if stood >= limit and (part not in found or not found[part].is_over):
                late += 1
                problems.append(f"{part} stands {stood} days without a warning")
            if part in found and (stood < limit // 2 or found[part].days != stood):
                problems.append(f"{part} warned after {stood} days")
            if part in found and (found[part].limit_date - last[part]).days != limit:
                problems.append(f"{part}: limit {found[part].limit_date}")
        warned += len(found)
    if not warned:
        problems.append("nothing was ever warned of")
    return Outcome(not problems, {"days": DAYS[scale], "warned": warned, "late": late}, problems)
