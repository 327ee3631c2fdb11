"""Greets somebody."""

from clockbox_sdk import job, log


@job
def run(name: str, times: int = 1) -> str:
    log.info("greeting", name=name)
    return ", ".join([f"hello {name}"] * times)
