"""What a bot can do: `@tool` functions, their schema, and how one is run in time.

`tool` holds the decorator, `schema` turns a signature into what the model is told, `run` runs
one function call, `toolbox` is the set of tools that a bot offers.
"""

from offhook.tools.tool import Tool, tool
from offhook.tools.toolbox import Toolbox

__all__ = ["Tool", "Toolbox", "tool"]
