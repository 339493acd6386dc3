"""
The sandbox on a port: HTTP/1.1 over sockets and threads.
"""
