"""Language models behind one small Protocol; the only package that knows a provider's SDK."""

from harness.llm.protocol import (
    Answer,
    Message,
    Model,
    Part,
    Request,
    Stop,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Try,
    TryStatus,
    Usage,
)

__all__ = [
    "Answer",
    "Message",
    "Model",
    "Part",
    "Request",
    "Stop",
    "Text",
    "Thinking",
    "Tool",
    "ToolCall",
    "ToolResult",
    "Try",
    "TryStatus",
    "Usage",
]
