"""Speaking to vendors over HTTP: one client base with timeouts, safe retries, a circuit breaker and four errors."""

from hostwright.core.http.addresses import Reach
from hostwright.core.http.breaker import Breaker
from hostwright.core.http.client import Call, HttpClient, Method, Settings
from hostwright.core.http.pace import Pace

__all__ = ["Breaker", "Call", "HttpClient", "Method", "Pace", "Reach", "Settings"]
