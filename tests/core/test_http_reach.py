"""Where connections may go, and what is said about certificates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hostwright.core.http import Reach
from hostwright.core.http.addresses import is_forbidden
from hostwright.core.providers import Refused, Transient
from tests.support.http_client import client_of
from tests.support.raw_server import RawServer, raw_server


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "::ffff:169.254.169.254",
        "::ffff:127.0.0.1",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_where_no_vendor_is(address: str):
    assert is_forbidden(address)


@pytest.mark.parametrize(
    "address", ["10.0.0.5", "172.16.3.4", "192.168.4.2", "fd12:3456::1", "100.64.0.7", "203.0.113.7", "2001:db8::7"]
)
def test_where_vendors_are(address: str):
    assert not is_forbidden(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_production_never_connects_to_this_machine(host: str):
    async with raw_server() as server:
        url = f"http://{host}:{server.port}"
        async with client_of(url, reach=Reach.NETWORK) as client:
            for act in (client.read, client.write):
                with pytest.raises(Refused, match="leads to a place that is never asked"):
                    await act()
        assert server.requests == []
        async with client_of(url, reach=Reach.ANYWHERE) as client:
            assert await client.read() == 1


def make_certificate(folder: Path, name: str, *, days: int) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
async def self_signed(tmp_path: Path) -> AsyncGenerator[RawServer]:
    async with raw_server(make_certificate(tmp_path, "control.example", days=30)) as server:
        yield server


async def test_an_untrusted_certificate_is_named_and_not_tried_again(self_signed: RawServer):
    async with client_of(self_signed.url) as client:
        with pytest.raises(Transient, match=r"^The TLS certificate of Example is not trusted: it is self-signed\.$"):
            await client.write()
    assert self_signed.requests == []


async def test_verification_can_be_switched_off(self_signed: RawServer):
    async with client_of(self_signed.url, verify_tls=False) as client:
        assert await client.write() == 1


async def test_an_expired_certificate_is_named(tmp_path: Path):
    async with (
        raw_server(make_certificate(tmp_path, "control.example", days=-1)) as server,
        client_of(server.url) as client,
    ):
        with pytest.raises(Transient, match=r"it (has expired|is self-signed)\.$"):
            await client.read()


async def test_what_speaks_no_tls_is_named():
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with client_of(f"https://127.0.0.1:{port}") as client:
            with pytest.raises(Transient, match="may not speak TLS"):
                await client.read()
