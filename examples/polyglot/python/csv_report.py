"""Adds up all CSV files of a folder, by product and by month, and writes a report: the standard library is all it takes."""

import csv
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from pathlib import Path

from clockbox_sdk import Fatal, job, log, progress


@job
def run(folder: str, report: str) -> dict:
    files = sorted(Path(folder).glob("*.csv"))
    if not files:
        raise Fatal("no-files", f"{folder} has no CSV files")
    products: dict[str, Decimal] = defaultdict(Decimal)
    months: dict[str, Decimal] = defaultdict(Decimal)
    rows = skipped = 0
    for done, path in enumerate(files):
        progress.report(done, len(files), path.name)
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            for row in reader:
                try:
                    amount = int(row["quantity"]) * Decimal(row["price"])
                    product, month = row["product"], row["date"][:7]
                except (KeyError, TypeError, ValueError, InvalidOperation):
                    log.warn("a row that cannot be read", file=path.name, line=reader.line_num)
                    skipped += 1
                    continue
                products[product] += amount
                months[month] += amount
                rows += 1

    # Written beside it and renamed, so that nobody reads half a report.
    whole = Path(report)
    part = whole.with_name(whole.name + ".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["by", "name", "amount"])
        writer.writerows(["product", *each] for each in sorted(products.items(), key=lambda each: -each[1]))
        writer.writerows(["month", *each] for each in sorted(months.items()))
    part.replace(whole)
    total = sum(products.values(), Decimal())
    log.info(f"{whole.name}: {total} in all", rows=rows)
    return {"files": len(files), "rows": rows, "skipped": skipped, "total": str(total)}
