"""Processors that are fast at bfloat16 and that are not, as measured for a run."""

from dataclasses import asdict
from pathlib import Path

from landslip.io.files import write_json
from landslip.models.precision import Processor

FAST = Processor(name="fast at bfloat16", float32=100.0, bfloat16=180.0)
SLOW = Processor(name="has the instructions, not the speed", float32=100.0, bfloat16=50.0)


def processor_file(folder: Path, processor: Processor = SLOW) -> Path:
    """The file that a run's networks read."""
    write_json(folder / "processor.json", asdict(processor))
    return folder / "processor.json"
