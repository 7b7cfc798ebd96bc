// Puts the packed headers into the binary's read-only data, where the page cache holds them and nothing is copied.
asm(".section .rodata.cweb_sysroot,\"a\",@progbits\n"
    ".balign 16\n"
    ".globl cweb_sysroot_begin\n"
    ".hidden cweb_sysroot_begin\n"
    ".type cweb_sysroot_begin, @object\n"
    "cweb_sysroot_begin:\n"
    ".incbin \"" CWEB_SYSROOT_BLOB
    "\"\n"
    ".size cweb_sysroot_begin, . - cweb_sysroot_begin\n"
    ".previous\n");
