"""Which IP addresses our machines may call: an explicit table, as `is_global` lets tunnels by.

Follows the classifier of Stripe's smokescreen: whatever reaches a private network, this machine,
a group of machines, or carries an IPv4 address inside an IPv6 one, is refused. Source of the
ranges: IANA's special-purpose address registries (RFC 6890 and its updates).
"""

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

ISATAP_MARKERS = (0x0000_5EFE, 0x0200_5EFE)


class AddressClass(StrEnum):
    """What kind of place an address is."""

    PUBLIC = "public"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    LINK_LOCAL = "link_local"
    SHARED = "shared"
    MULTICAST = "multicast"
    DOCUMENTATION = "documentation"
    BENCHMARK = "benchmark"
    EMBEDDED = "embedded"
    RESERVED = "reserved"
    METADATA = "metadata"
    MALFORMED = "malformed"


NETWORKS = tuple(
    (ip_network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", AddressClass.RESERVED),
        ("10.0.0.0/8", AddressClass.PRIVATE),
        ("100.64.0.0/10", AddressClass.SHARED),
        ("127.0.0.0/8", AddressClass.LOOPBACK),
        ("168.63.129.16/32", AddressClass.METADATA),
        ("169.254.0.0/16", AddressClass.LINK_LOCAL),
        ("172.16.0.0/12", AddressClass.PRIVATE),
        ("192.0.0.0/24", AddressClass.RESERVED),
        ("192.0.2.0/24", AddressClass.DOCUMENTATION),
        ("192.88.99.0/24", AddressClass.RESERVED),
        ("192.168.0.0/16", AddressClass.PRIVATE),
        ("198.18.0.0/15", AddressClass.BENCHMARK),
        ("198.51.100.0/24", AddressClass.DOCUMENTATION),
        ("203.0.113.0/24", AddressClass.DOCUMENTATION),
        ("224.0.0.0/4", AddressClass.MULTICAST),
        ("240.0.0.0/4", AddressClass.RESERVED),
        ("::1/128", AddressClass.LOOPBACK),
        ("::/128", AddressClass.RESERVED),
        ("::/96", AddressClass.EMBEDDED),  # IPv4-compatible
        ("::ffff:0:0/96", AddressClass.EMBEDDED),  # IPv4-mapped
        ("::ffff:0:0:0/96", AddressClass.EMBEDDED),  # IPv4-translated
        ("64:ff9b::/96", AddressClass.EMBEDDED),  # NAT64
        ("64:ff9b:1::/48", AddressClass.EMBEDDED),  # NAT64, local use
        ("100::/64", AddressClass.RESERVED),  # discard only
        ("100:0:0:1::/64", AddressClass.RESERVED),  # dummy prefix
        ("2001::/32", AddressClass.EMBEDDED),  # Teredo
        ("2001:2::/48", AddressClass.BENCHMARK),
        ("2001::/23", AddressClass.RESERVED),  # IETF protocol assignments
        ("2001:db8::/32", AddressClass.DOCUMENTATION),
        ("2002::/16", AddressClass.EMBEDDED),  # 6to4
        ("3ffe::/16", AddressClass.RESERVED),  # the retired 6bone
        ("3fff::/20", AddressClass.DOCUMENTATION),
        ("5f00::/16", AddressClass.RESERVED),  # segment routing
        ("fc00::/7", AddressClass.PRIVATE),  # unique local
        ("fe80::/10", AddressClass.LINK_LOCAL),
        ("fec0::/10", AddressClass.PRIVATE),  # the retired site-local
        ("ff00::/8", AddressClass.MULTICAST),
    )
)


def classify(address: str) -> AddressClass:
    """Say what kind of place `address` is; anything but PUBLIC is not to be called. Never raises.

    The first matching line of the table decides; a scoped address (`fe80::1%eth0`) and text
    that is no address at all are MALFORMED.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return AddressClass.MALFORMED
    if isinstance(parsed, IPv6Address) and parsed.scope_id is not None:
        return AddressClass.MALFORMED
    for network, kind in NETWORKS:
        if parsed.version == network.version and parsed in network:
            return kind
    return AddressClass.EMBEDDED if _is_isatap(parsed) else AddressClass.PUBLIC


def _is_isatap(address: IPv4Address | IPv6Address) -> bool:
    """Whether the last 64 bits are a tunnel's: a fixed marker, then an IPv4 address (RFC 5214)."""
    if isinstance(address, IPv4Address):
        return False
    return (int(address) >> 32) & 0xFFFF_FFFF in ISATAP_MARKERS
