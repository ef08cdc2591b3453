"""Critical alerts open a fault (障害記録) by themselves, and write down when it was over; closing it is a person's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway.chores import now_and_then
from gateway.overview import Light, Tone
from gateway.registers.incidents import Incidents, Kind

_EVERY_SECONDS: Final = 60.0
# What burns red so many times in a row is no flicker.
_TIMES: Final = 3
_KINDS: Final = {"scanner": Kind.SCANNER, "disk": Kind.STORAGE, "next_hop": Kind.DELIVERY, "clock": Kind.CLOCK}
_SERVICE: Final = "service"
# What a person owes is no fault.
_OWED: Final = frozenset({"emergency"})


class Watch:
    """`lights`: those of the overview; `halted`: whether a person has stopped something, which is no fault."""

    def __init__(
        self, incidents: Incidents, lights: Callable[[], Awaitable[Sequence[Light]]], halted: Callable[[], Awaitable[bool]]
    ) -> None:
        self._incidents = incidents
        self._lights = lights
        self._halted = halted
        self._red: dict[Kind, int] = {}
        self._open: set[Kind] | None = None

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(_EVERY_SECONDS)
        await now_and_then("lights", _EVERY_SECONDS, self.look, whatever=True)

    async def look(self) -> None:
        """Once."""
        if self._open is None:
            standing = await self._incidents.listed()
            self._open = {one.kind for one in standing if one.closed_at is None and one.recovered_at is None}
        red = await self._burning()
        self._red = {kind: self._red.get(kind, 0) + 1 for kind in red}
        for kind, said in red.items():
            if self._red[kind] == _TIMES and kind not in self._open:
                await self._incidents.alert(kind, said)
                self._open.add(kind)
        for kind in (self._open & set(_KINDS.values()) | self._open & {Kind.SERVICE}) - red.keys():
            await self._incidents.recovered(kind, "すべての表示が正常に戻りました / all lights are well again")
            self._open.discard(kind)

    async def _burning(self) -> dict[Kind, str]:
        """Kind → what is said. That nothing is taken in is told of once: by what it comes from, if that is known."""
        lights = [light for light in await self._lights() if light.tone is Tone.STOP and light.name not in _OWED]
        if len(lights) > 1 or await self._halted():
            lights = [light for light in lights if light.name != _SERVICE]
        red: dict[Kind, str] = {}
        for light in lights:
            kind = _KINDS.get(light.name.partition(":")[0], Kind.SERVICE)
            said = f"{light.title[0]}：{light.said[0]} / {light.title[1]}: {light.said[1]}"
            red[kind] = f"{red[kind]}\n{said}" if kind in red else said
        return red
