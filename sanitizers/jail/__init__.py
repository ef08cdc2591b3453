"""What the kernel lets a jailed child do: nothing but compute on the descriptors it was handed.

`walls` puts up the walls around a process and knows which of them this kernel offers; `seccomp` and `landlock` are two of them.
All of it speaks to the kernel through ctypes, because a library would only add code between us and twenty system calls.
"""
