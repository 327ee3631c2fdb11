from clockbox_sdk import job


@job
def run(name: str) -> str:
    return f"hello {name}"
