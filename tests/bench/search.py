"""Finding two-character words among 30,000 entries: reading every text against pieces.

    DATABASE_URL=… python -m tests.bench.search [entries]

All ways run in one process against one database and must find the same rows: `like` and `strpos`
read every folded text (`strpos` is what the desk does), `pieces` is a table of (piece, entry) with
an index, `phrase` the text index of the database over pieces (FTS5 on SQLite, GIN over a tsvector
on PostgreSQL). Everything is undone.
"""

import json
import os
import random
import re
import statistics
import sys
import time
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supervision.config.settings.dev")
django.setup()

from django.db import connection, transaction  # noqa: E402
from django.db.models import Value  # noqa: E402
from django.db.models.functions import StrIndex  # noqa: E402

from supervision.models import SearchEntry, SearchKind  # noqa: E402
from supervision.rules.search import fold  # noqa: E402

WORDS = tuple(
    re.findall(
        "..",
        "研发高企机构企业创新平台孵化专利转化资金补助评审备案验收检查推进落实完成新增累计"
        "示范园区桃城冀州科技工信人才引进团队项目申报认定审核培训宣传督导通报调度会议方案",
    )
)
QUERIES = ("研发", "高企", "科技", "认定会", "孵化器", "量子", "12家")
RARE = {"量子": 0.001, "高企": 0.01, "孵化器": 0.05}
REPEATS = 15


def text_of(random_: random.Random) -> str:
    words = [random_.choice(WORDS) for _ in range(random_.randint(60, 240))]
    words = [word for word in words if word not in RARE]
    for word, share in RARE.items():
        if random_.random() < share:
            words.insert(random_.randrange(len(words)), word)
    if random_.random() < 0.02:
        words.append("12家")
    return "，".join("".join(words[i : i + 6]) for i in range(0, len(words), 6)) + "。"


def pieces_of(key: str) -> list[str]:
    return [key[i : i + 2] for i in range(len(key) - 1)]


def median_ms(run) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 2)


def seconds_of(run) -> float:
    start = time.perf_counter()
    run()
    return round(time.perf_counter() - start, 1)


class Bench:
    def __init__(self, count: int) -> None:
        self.count = count
        self.is_sqlite = connection.vendor == "sqlite"

    def rows(self, sql: str, *values) -> list:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def fill(self) -> dict[int, str]:
        random_ = random.Random(4)
        for start in range(0, self.count, 1000):
            entries = []
            for number in range(start, min(start + 1000, self.count)):
                text = text_of(random_)
                entries.append(
                    SearchEntry(
                        kind=SearchKind.RETURN,
                        subject_uid=UUID(int=number),
                        text=text,
                        key="\n" + fold(text),
                    )
                )
            SearchEntry.objects.bulk_create(entries)
        return dict(
            SearchEntry.objects.filter(kind=SearchKind.RETURN, item=None).values_list("pk", "key")
        )

    def fill_pieces(self, keys: dict[int, str]) -> None:
        self.rows("CREATE TABLE bench_piece (piece varchar(2), entry bigint)")
        with connection.cursor() as cursor:
            for pk, key in keys.items():
                cursor.executemany(
                    "INSERT INTO bench_piece VALUES (%s, %s)",
                    [(piece, pk) for piece in dict.fromkeys(pieces_of(key))],
                )
        self.rows("CREATE INDEX bench_piece_of ON bench_piece (piece, entry)")

    def fill_phrases(self, keys: dict[int, str]) -> None:
        if self.is_sqlite:
            self.rows("CREATE VIRTUAL TABLE bench_phrase USING fts5(pieces)")
            sql = "INSERT INTO bench_phrase (rowid, pieces) VALUES (%s, %s)"
        else:
            self.rows("CREATE TABLE bench_phrase (entry bigint, pieces tsvector)")
            sql = "INSERT INTO bench_phrase VALUES (%s, array_to_tsvector(%s))"
        with connection.cursor() as cursor:
            for pk, key in keys.items():
                pieces = pieces_of(key)
                value = " ".join(pieces) if self.is_sqlite else sorted(set(pieces))
                cursor.execute(sql, [pk, value])
        if not self.is_sqlite:
            self.rows("CREATE INDEX bench_phrase_of ON bench_phrase USING gin (pieces)")

    # The three ways: each gives the rows in which the folded word lies.

    def like(self, word: str) -> set[int]:
        return set(SearchEntry.objects.filter(key__contains=word).values_list("pk", flat=True))

    def strpos(self, word: str) -> set[int]:
        rows = SearchEntry.objects.annotate(place=StrIndex("key", Value(word)))
        return set(rows.filter(place__gt=0).values_list("pk", flat=True))

    def pieces(self, word: str) -> set[int]:
        parts = list(dict.fromkeys(pieces_of(word)))
        marks = ", ".join(["%s"] * len(parts))
        table = SearchEntry._meta.db_table
        return {
            pk
            for (pk,) in self.rows(
                f"SELECT e.id FROM {table} e JOIN (SELECT entry FROM bench_piece "
                f"WHERE piece IN ({marks}) GROUP BY entry HAVING count(*) = {len(parts)}) p "
                "ON p.entry = e.id WHERE e.key LIKE %s",
                *parts,
                f"%{word}%",
            )
        }

    def phrase(self, word: str) -> set[int]:
        parts, table = pieces_of(word), SearchEntry._meta.db_table
        if self.is_sqlite:
            sql = "SELECT rowid FROM bench_phrase WHERE bench_phrase MATCH %s"
            return {pk for (pk,) in self.rows(sql, '"' + " ".join(parts) + '"')}
        query = " & ".join(f"'{part}'" for part in parts)
        return {
            pk
            for (pk,) in self.rows(
                f"SELECT e.id FROM {table} e JOIN bench_phrase p ON p.entry = e.id "
                "WHERE p.pieces @@ %s::tsquery AND e.key LIKE %s",
                query,
                f"%{word}%",
            )
        }


def main() -> int:
    bench = Bench(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)
    with transaction.atomic():
        SearchEntry.objects.all().delete()
        keys = bench.fill()
        figures = {
            "database": connection.vendor,
            "entries": bench.count,
            "characters": round(sum(map(len, keys.values())) / len(keys)),
            "seconds_to_add": {
                "pieces": seconds_of(lambda: bench.fill_pieces(keys)),
                "phrase": seconds_of(lambda: bench.fill_phrases(keys)),
            },
        }
        if not bench.is_sqlite:
            for name in ("bench_piece", "bench_phrase", SearchEntry._meta.db_table):
                bench.rows(f"ANALYZE {name}")
        print(json.dumps(figures, ensure_ascii=False))
        for word in QUERIES:
            folded = fold(word)
            right = {pk for pk, key in keys.items() if folded in key}
            line = {"word": word, "hits": len(right)}
            for name in ("like", "strpos", "pieces", "phrase"):
                run = getattr(bench, name)
                assert run(folded) == right, (name, word)
                line[f"{name}_ms"] = median_ms(lambda run=run, folded=folded: run(folded))
            print(json.dumps(line, ensure_ascii=False))
        transaction.set_rollback(True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
