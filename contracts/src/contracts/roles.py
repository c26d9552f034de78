"""Roles that services know by name. Others are data: a template may ask for any role that users hold."""

from typing import Final

ADMINISTRATOR: Final = "administrator"
CLIENT: Final = "client"
"""A person at a client company: sees that company's orders, in the portal, and signs deliveries off."""
SALES: Final = "sales"
SALES_MANAGER: Final = "sales_manager"
FINANCE: Final = "finance"
FINANCE_MANAGER: Final = "finance_manager"
GENERAL_MANAGER: Final = "general_manager"
PROJECT_MANAGER: Final = "project_manager"
OPERATOR: Final = "operator"
"""Runs the platform: parked keys, republishing."""
