"""What ACME sells and where: the fixed part of the shop's data."""

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """One article. `price` is in euro cents; `also` are other words that callers have for it.

    The first two letters of `sku` are a key of `CATEGORIES`.
    """

    sku: str
    name: str
    name_de: str
    price: int
    also: str = ""


class Store(NamedTuple):
    """One shop. `said` are the names that callers use, folded; `week` is a key of `WEEKS`.

    `regions` are the first digits of the German postcodes that it is nearest to.
    """

    id: str
    city: str
    said: str
    street: str
    postcode: str
    regions: str
    phone: str
    zone: str
    country: str
    week: str


class Department(NamedTuple):
    """One department of the head office in Berlin, reached by telephone."""

    id: str
    name: str
    said: str
    week: str


CATEGORIES = {
    "KT": "kitchen kueche kuechengeraet haushalt",
    "AU": "audio sound music musik ton",
    "LT": "lighting light licht lampe leuchte beleuchtung",
    "GD": "garden garten outdoor draussen",
    "TL": "tool tools werkzeug diy heimwerken",
}

PRODUCTS = (
    Product("KT-101", "Kettle Classic", "Wasserkocher Classic", 3990),
    Product("KT-102", "Kettle Glass", "Wasserkocher Glas", 5490),
    Product("KT-103", "Four-Slice Toaster", "Vier-Scheiben-Toaster", 6490),
    Product("KT-104", "Espresso Machine", "Espressomaschine", 34900, "coffee kaffeemaschine"),
    Product("KT-105", "Stand Mixer", "Küchenmaschine", 27900),
    Product("KT-106", "Hand Blender", "Stabmixer", 4490),
    Product("KT-107", "Digital Scales", "Digitalwaage", 2490),
    Product("KT-108", "Rice Cooker", "Reiskocher", 5990),
    Product("AU-201", "Wireless Headphones", "Funkkopfhörer", 12900, "headset"),
    Product("AU-202", "Earbuds Mini", "Ohrhörer Mini", 7990),
    Product("AU-203", "Bluetooth Speaker", "Bluetooth-Lautsprecher", 8990, "loudspeaker box"),
    Product("AU-204", "Soundbar Slim", "Soundbar Slim", 19900),
    Product("AU-205", "Record Player", "Plattenspieler", 24900),
    Product("AU-206", "Kitchen Radio", "Küchenradio", 9490),
    Product("AU-207", "USB Microphone", "USB-Mikrofon", 6990),
    Product("AU-208", "Alarm Clock Radio", "Radiowecker", 3490),
    Product("LT-301", "Desk Lamp", "Schreibtischlampe", 4990),
    Product("LT-302", "Floor Lamp Arc", "Bogenlampe", 13900),
    Product("LT-303", "Bedside Lamp", "Nachttischlampe", 2990),
    Product("LT-304", "Ceiling Light Ring", "Deckenleuchte Ring", 11900),
    Product("LT-305", "LED Bulb Pack", "LED-Birnen im Set", 1490),
    Product("LT-306", "Fairy Lights", "Lichterkette", 1990),
    Product("LT-307", "Torch Pro", "Taschenlampe Pro", 3290, "flashlight"),
    Product("LT-308", "Motion Night Light", "Nachtlicht mit Bewegungsmelder", 1790),
    Product("GD-401", "Lawn Mower Electric", "Elektrorasenmäher", 22900, "lawnmower"),
    Product("GD-402", "Hedge Trimmer", "Heckenschere", 9990),
    Product("GD-403", "Garden Hose 25 m", "Gartenschlauch 25 m", 3990),
    Product("GD-404", "Watering Can", "Gießkanne", 1290),
    Product("GD-405", "Charcoal Grill", "Holzkohlegrill", 14900, "bbq barbecue"),
    Product("GD-406", "Folding Chair", "Klappstuhl", 3490),
    Product("GD-407", "Parasol 3 m", "Sonnenschirm 3 m", 8990),
    Product("GD-408", "Leaf Blower", "Laubbläser", 7990),
    Product(
        "TL-501", "Cordless Drill", "Akkubohrschrauber", 11900, "bohrer bohrmaschine schrauber"
    ),
    Product("TL-502", "Hammer", "Hammer", 1990),
    Product("TL-503", "Screwdriver Set", "Schraubendreher-Set", 2990),
    Product("TL-504", "Jigsaw", "Stichsäge", 8490),
    Product("TL-505", "Spirit Level", "Wasserwaage", 1790),
    Product("TL-506", "Tool Box", "Werkzeugkasten", 4990),
    Product("TL-507", "Workbench", "Werkbank", 15900),
    Product("TL-508", "Tape Measure", "Maßband", 990, "zollstock"),
)

STORES = (
    Store("berlin", "Berlin", "berlin", "Beispielstraße 12", "10115", "01",
          "+493023125110", "Europe/Berlin", "DE", "shop"),
    Store("hamburg", "Hamburg", "hamburg", "Musterweg 3", "20095", "23",
          "+494066969120", "Europe/Berlin", "DE", "shop"),
    Store("koeln", "Köln", "koeln koln cologne", "Probegasse 8", "50667", "456",
          "+492214710130", "Europe/Berlin", "DE", "shop"),
    Store("muenchen", "München", "muenchen munchen munich", "Musterplatz 1", "80331", "789",
          "+498999998140", "Europe/Berlin", "DE", "shop"),
    Store("wien", "Wien", "wien vienna", "Beispielgasse 5", "1010", "",
          "+493023125150", "Europe/Vienna", "AT", "shop"),
    Store("london", "London", "london", "1 Example Street", "EC1A 1BB", "",
          "+442079460160", "Europe/London", "GB", "shop_sunday"),
)  # fmt: skip

CUSTOMER_SERVICE = "service"
HEAD_OFFICE_ZONE = "Europe/Berlin"

DEPARTMENTS = (
    Department(
        CUSTOMER_SERVICE,
        "Customer service",
        "customer service support hotline helpline kundendienst kundenservice",
        "phone",
    ),
    Department("sales", "Sales", "sales verkauf vertrieb", "phone"),
    Department("returns", "Returns", "returns refunds retouren ruecksendung reklamation", "office"),
    Department("repairs", "Repairs", "repairs workshop reparatur werkstatt", "office"),
)

# Opening hours from Monday to Sunday; an empty entry is a closed day.
WEEKS = {
    "shop": ("09:30-19:00",) * 5 + ("10:00-18:00", ""),
    "shop_sunday": ("09:30-19:00",) * 5 + ("10:00-18:00", "11:00-17:00"),
    "phone": ("08:00-18:00",) * 5 + ("09:00-14:00", ""),
    "office": ("09:00-17:00",) * 4 + ("09:00-15:00", "", ""),
}

# Days of the year on which everything in a country is closed.
HOLIDAYS = {
    "DE": {
        (1, 1): "New Year's Day",
        (5, 1): "Labour Day",
        (10, 3): "German Unity Day",
        (12, 25): "Christmas Day",
        (12, 26): "Boxing Day",
    },
    "AT": {
        (1, 1): "New Year's Day",
        (1, 6): "Epiphany",
        (5, 1): "Labour Day",
        (10, 26): "Austrian National Day",
        (12, 25): "Christmas Day",
        (12, 26): "Boxing Day",
    },
    "GB": {(1, 1): "New Year's Day", (12, 25): "Christmas Day", (12, 26): "Boxing Day"},
}
