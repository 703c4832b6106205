"""
Text, identifiers, and words of one form.
"""

import re
import uuid
import zoneinfo
from collections.abc import Callable

