"""Addresses that nobody may have fetched: by what stands in them, by what their names resolve to, and by redirects.

`{port}` is that of a server on loopback, which must not be connected to.
"""

FORBIDDEN = [
    # loopback, in the forms that one reader or another takes for it
    "https://127.0.0.1/", "https://127.0.0.1:443/admin", "https://127.255.255.254/", "https://127.1/",
    "https://127.0.1/", "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://2130706433/",
    "https://017700000001/", "https://127.0.0.1./", "https://127.0.0.01/", "https://127.0.0.0x1/", "https://1/",
    "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/", "https://localhost/", "https://LOCALHOST/", "https://localhost./",
    "https://a.localhost/", "https://localhost.localdomain/", "http://127.0.0.1/", "http://2130706433/",
    # unspecified
    "https://0.0.0.0/", "https://0/", "https://[::]/", "https://00000000000/",
    # private
    "https://10.0.0.1/", "https://10.255.255.255/", "https://172.16.0.1/", "https://172.31.255.255/",
    "https://192.168.0.1/", "https://167772161/", "https://0xa.0.0.1/", "https://012.0.0.1/", "https://10.1/",
    "https://[::ffff:10.0.0.1]/", "https://[fc00::1]/", "https://[fd12:3456:789a::1]/",
    # link-local, and what machines of clouds ask about themselves
    "https://169.254.169.254/latest/meta-data/", "http://169.254.169.254/latest/meta-data/",
    "https://2852039166/", "https://0xa9fea9fe/", "https://0251.0376.0251.0376/", "https://169.254.43518/",
    "https://169.254.170.2/v2/credentials", "https://[::ffff:169.254.169.254]/", "https://[::ffff:a9fe:a9fe]/",
    "https://[fd00:ec2::254]/latest/meta-data/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/",
    "https://metadata.google.internal/computeMetadata/v1/", "https://metadata/", "https://instance-data/",
    "https://100.100.100.200/latest/meta-data/", "https://192.0.0.192/", "https://168.63.129.16/",
    # what a machine of AWS finds beside its metadata: names, time, credentials of containers, the runtime of a function
    "https://169.254.169.253/", "https://[fd00:ec2::253]/", "https://169.254.169.123/", "https://[fd00:ec2::123]/",
    "https://169.254.170.23/v1/credentials", "https://[fd00:ec2::23]/v1/credentials", "https://169.254.100.1:443/",
    # shared, multicast, reserved, documentation, benchmarks
    "https://100.64.0.1/", "https://100.127.255.255/", "https://224.0.0.1/", "https://239.255.255.250/",
    "https://240.0.0.1/", "https://255.255.255.255/", "https://192.0.2.1/", "https://198.51.100.1/",
    "https://203.0.113.1/", "https://198.18.0.1/", "https://192.88.99.1/", "https://[ff02::1]/",
    "https://[2001:db8::1]/", "https://[3fff::1]/", "https://[fec0::1]/", "https://[100::1]/",
    # IPv6 that carries IPv4: 6to4, Teredo, NAT64 (both prefixes), translated, ISATAP
    "https://[2002:7f00:1::]/", "https://[2002:a9fe:a9fe::]/", "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::169.254.169.254]/", "https://[64:ff9b:1::a00:1]/",
    "https://[::ffff:0:127.0.0.1]/", "https://[2606:4700::5efe:127.0.0.1]/", "https://[2606:4700::200:5efe:a00:1]/",
    # assignments to protocols, some of which count as global
    "https://192.0.0.9/", "https://192.0.0.170/", "https://[2001:1::1]/", "https://[2001:20::1]/", "https://[5f00::1]/",
    # names that mean something inside only
    "https://printer/", "https://nas.local/", "https://vault.internal/", "https://wiki.corp.internal/",
    "https://router.lan/", "https://hidden.onion/",
    # user information, back-slashes, white space, and letters that become others
    "https://example.com@127.0.0.1/", "https://good:word@127.0.0.1/", "https://user@example.com/",
    "https://example.com\\@127.0.0.1/", "https:\\\\127.0.0.1/", "https://127.0.0.1\\.example.com/",
    "https://exam ple.com/", " https://example.com/", "https://example.com/\r\nHost: 127.0.0.1", "https://example.com/\t",
    "https://127\u30020\u30020\u30021/", "https://\uff11\uff12\uff17.0.0.1/", "https://\u2460\u2461\u2466.0.0.1/",
    "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/", "https://127%2e0%2e0%2e1/",
    "https://127.0.0.1%00.example.com/", "https://loc%61lhost/", "https://example.com\u0000/",
    # ports of other services, and other schemes
    "https://example.com:22/", "https://example.com:6379/", "https://example.com:9200/", "https://example.com:0/",
    "https://example.com:65536/", "https://example.com:x/", "http://example.com/", "http://example.com:8080/",
    "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/stat",
    "data:text/plain,hello", "javascript:alert(1)", "jar:https://example.com/a!/b", "//example.com/", "example.com",
    "https:example.com", "https:/example.com", "https://", "https:///etc/passwd", "https://?x", "https://#x",
    # names that are none
    "https://.example.com/", "https://example..com/", "https://-example.com/", "https://example.com-/",
    "https://" + "a" * 64 + ".com/", "https://" + "a." * 130 + "com/", "https://[::1/", "https://[127.0.0.1]/",
    "https://[example.com]/", "https://exa*mple.com/", "https://example.com,127.0.0.1/",
    # what some readers take for the host, and others leave out
    "https://[v1.example.com]/", "https://[2606:4700::1111%251]/", "https://[2606:4700::1111%1]/",
    "https://127.0.0.1[2606:4700::1111]/", "https://[2606:4700::1111]127.0.0.1:443/", "https://[2606:4700::1111].a:443/",
]  # fmt: skip

RESOLVING = {
    # what a name may resolve to, of which at least one is forbidden
    "loopback": ["127.0.0.1"],
    "loopback of IPv6": ["::1"],
    "mapped loopback": ["::ffff:127.0.0.1"],
    "unspecified": ["0.0.0.0"],  # noqa: S104 (nothing is bound to it)
    "private": ["10.0.0.5"],
    "metadata": ["169.254.169.254"],
    "metadata of IPv6": ["fd00:ec2::254"],
    "shared": ["100.64.0.1"],
    "6to4 of loopback": ["2002:7f00:1::"],
    "NAT64 of loopback": ["64:ff9b::7f00:1"],
    "local NAT64 of metadata": ["64:ff9b:1::a9fe:a9fe"],
    "ISATAP of private": ["2606:4700::5efe:a00:1"],
    "names of AWS": ["169.254.169.253"],
    "public, then loopback": ["93.184.216.34", "127.0.0.1"],
    "loopback, then public": ["127.0.0.1", "93.184.216.34"],
    "public, then private of IPv6": ["2606:4700::1111", "fd00::1"],
    "many, of which one is private": ["93.184.216.34"] * 7 + ["192.168.1.1"],
    "nothing": [],
}

REDIRECTS = [
    # where a harmless page may lead, beside all that is FORBIDDEN
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://2130706433:{port}/", "http://0x7f.1:{port}/", "http://0177.0.0.1:{port}/", "http://127.1:{port}/",
    "https://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "http://good@127.0.0.1:{port}/", "http://0.0.0.0:{port}/",
    "http://inside.example:{port}/",
]  # fmt: skip
