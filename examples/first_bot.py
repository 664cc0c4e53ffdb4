from offhook import Bot, tool


@tool
async def opening_hours() -> str:
    """Tell when the shop is open."""
    return "Monday to Friday, 9 to 17"


bot = Bot(
    "You answer the phone of a bicycle shop. Be brief and friendly.",
    greeting="Hello, this is the AI assistant of Miller's Bicycles. How can I help?",
    tools=[opening_hours],
    targets={"workshop": "tel:+493023125001"},
)
