"""All topics, by slug."""

from __future__ import annotations

from safekv.errors._topic import Topic
from safekv.errors._topics_access import ACCESS
from safekv.errors._topics_connection import CONNECTION
from safekv.errors._topics_management import MANAGEMENT
from safekv.errors._topics_objects import OBJECTS

TOPICS: dict[str, Topic] = {topic.slug: topic for topic in (*ACCESS, *OBJECTS, *MANAGEMENT, *CONNECTION)}
