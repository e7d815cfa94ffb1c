"""Units and their exact factors. (pint was measured: 0.34 s to import and 0.25 s for its registry, a turn has 0.15 s.)

US customary measures are meant by gallon, pint, cup and fluid ounce unless `imperial` or `uk` stands before them. Bytes
count in thousands (MB), and in 1024s as MiB. A year is 365.2425 days, a month a twelfth of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from memagent.errors import InputError


@dataclass(frozen=True)
class Unit:
    """`value * factor + offset` is the value in the base unit of the dimension."""

    name: str  # as written after a number
    plural: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)


# dimension: name; plural; factor; other spellings (a plural s is understood)
_TABLE = """
length: m; m; 1; metre meter
length: km; km; 1000; kilometre kilometer k.m. kms
length: cm; cm; 1/100; centimetre centimeter
length: mm; mm; 1/1000; millimetre millimeter
length: µm; µm; 1/1000000; micrometre micrometer micron um
length: inch; inches; 0.0254; in
length: foot; feet; 0.3048; ft
length: yard; yards; 0.9144; yd
length: mile; miles; 1609.344; mi
length: nautical mile; nautical miles; 1852; nmi
mass: kg; kg; 1; kilogram kilogramme kilo
mass: g; g; 1/1000; gram gramme gm
mass: mg; mg; 1/1000000; milligram
mass: µg; µg; 1/1000000000; microgram ug
mass: tonne; tonnes; 1000; metric_ton
mass: ton; tons; 907.18474; short_ton us_ton
mass: imperial ton; imperial tons; 1016.0469088; long_ton uk_ton
mass: pound; pounds; 0.45359237; lb
mass: ounce; ounces; 0.028349523125; oz
mass: stone; stone; 6.35029318; st
volume: l; l; 1; litre liter
volume: ml; ml; 1/1000; millilitre milliliter cc cm3 cubic_centimetre cubic_centimeter
volume: cl; cl; 1/100; centilitre centiliter
volume: dl; dl; 1/10; decilitre deciliter
volume: m³; m³; 1000; m3 cubic_metre cubic_meter
volume: gallon; gallons; 3.785411784; gal us_gallon
volume: quart; quarts; 0.946352946; qt us_quart
volume: pint; pints; 0.473176473; us_pint
volume: cup; cups; 0.2365882365; us_cup
volume: fluid ounce; fluid ounces; 0.0295735295625; fl_oz floz us_fluid_ounce
volume: tablespoon; tablespoons; 0.015; tbsp
volume: teaspoon; teaspoons; 0.005; tsp
volume: imperial gallon; imperial gallons; 4.54609; uk_gallon
volume: imperial quart; imperial quarts; 1.1365225; uk_quart
volume: imperial pint; imperial pints; 0.56826125; uk_pint
volume: imperial fluid ounce; imperial fluid ounces; 0.0284130625; uk_fluid_ounce imperial_fl_oz uk_fl_oz
volume: cubic foot; cubic feet; 28.316846592; ft3
volume: cubic inch; cubic inches; 0.016387064; in3
area: m²; m²; 1; m2 sqm sq_m sq_metre sq_meter square_metre square_meter
area: km²; km²; 1000000; km2 sq_km square_kilometre square_kilometer
area: cm²; cm²; 1/10000; cm2 sq_cm square_centimetre square_centimeter
area: square foot; square feet; 0.09290304; ft2 ft² sqft sq_ft sq_foot sq_feet
area: square inch; square inches; 0.00064516; in2 in² sq_in sq_inch sq_inches
area: square yard; square yards; 0.83612736; yd2 sq_yd sq_yard
area: square mile; square miles; 2589988.110336; mi2 sq_mi sq_mile
area: acre; acres; 4046.8564224;
area: hectare; hectares; 10000; ha
speed: m/s; m/s; 1; mps metre_per_second meter_per_second metres_per_second meters_per_second
speed: km/h; km/h; 5/18; kmh kph kmph kilometre_per_hour kilometres_per_hour km_per_hour
speed: mph; mph; 0.44704; mi/h mile_per_hour miles_per_hour
speed: knot; knots; 463/900; kn kt
speed: ft/s; ft/s; 0.3048; fps foot_per_second feet_per_second
time: ms; ms; 1/1000; millisecond
time: second; seconds; 1; s sec
time: minute; minutes; 60; min
time: hour; hours; 3600; h hr
time: day; days; 86400; d
time: week; weeks; 604800; wk
time: fortnight; fortnights; 1209600;
time: month; months; 2629746;
time: year; years; 31556952; yr
data: bit; bits; 1/8;
data: byte; bytes; 1; b
data: kB; kB; 1000; kilobyte kb
data: MB; MB; 1000000; megabyte mb
data: GB; GB; 1000000000; gigabyte gb
data: TB; TB; 1000000000000; terabyte tb
data: KiB; KiB; 1024; kibibyte kib
data: MiB; MiB; 1048576; mebibyte mib
data: GiB; GiB; 1073741824; gibibyte gib
data: TiB; TiB; 1099511627776; tebibyte tib
data: Mbit; Mbit; 125000; megabit mbit
data: Gbit; Gbit; 125000000; gigabit gbit
energy: J; J; 1; joule j
energy: kJ; kJ; 1000; kilojoule kj
energy: kcal; kcal; 4184; kilocalorie calorie cal
energy: Wh; Wh; 3600; watt_hour wh
energy: kWh; kWh; 3600000; kilowatt_hour kwh
"""
_TEMPERATURES = (
    Unit("°C", "°C", "temperature", Fraction(1), Fraction(27315, 100)),
    Unit("°F", "°F", "temperature", Fraction(5, 9), Fraction(45967, 180)),
    Unit("K", "K", "temperature", Fraction(1)),
)
_TEMPERATURE_NAMES = (
    ("c", "°c", "celsius", "centigrade", "degree_c", "degree_celsius", "degree_centigrade", "deg_c", "º_c"),
    ("f", "°f", "fahrenheit", "degree_f", "degree_fahrenheit", "deg_f"),
    ("kelvin", "°k", "degree_kelvin", "k"),
)


def _load() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for line in _TABLE.strip().splitlines():
        dimension, rest = line.split(": ", 1)
        name, plural, factor, *others = (part.strip() for part in rest.split(";"))
        unit = Unit(name, plural, dimension, Fraction(factor))
        names = [name, plural, *others[0].split()] if others else [name, plural]
        for spelling in {text.lower().replace("_", " ") for text in names}:
            units[spelling] = unit
            if len(spelling) > 1 and spelling[-1].isalpha() and not spelling.endswith("s"):
                units.setdefault(spelling + "s", unit)
    for unit, spellings in zip(_TEMPERATURES, _TEMPERATURE_NAMES, strict=True):
        for spelling in spellings:
            text = spelling.replace("_", " ")
            units[text] = unit
            units[text.replace("degree", "degrees")] = unit
    return units


UNITS = _load()
_LONGEST = sorted(UNITS, key=len, reverse=True)
UNIT_PATTERN = "(?:" + "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in _LONGEST) + r")(?![\w°²³])"


def unit_named(text: str) -> Unit | None:
    """The unit that a spelling stands for, or None."""
    return UNITS.get(re.sub(r"\s+", " ", text.strip().lower()))


def convert(value: Fraction, unit: Unit, target: Unit) -> Fraction:
    """The value in another unit. Raises InputError when they measure different things."""
    if unit.dimension != target.dimension:
        raise InputError(
            f"{unit.plural} measure {unit.dimension} and {target.plural} {target.dimension}",
            "convert between units of one kind",
        )
    return (value * unit.factor + unit.offset - target.offset) / target.factor
