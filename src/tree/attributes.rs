//! Extended attributes that a job can give its files: access control lists are such, too. No
//! archive of a cache keeps them.

use std::ffi::{CStr, CString};
use std::io;
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::fs::llistxattr;
use rustix::io::Errno;

/// The most that the kernel gives.
const LIST: usize = 65536;

/// All others are the file system's or the machine's.
const OF_JOBS: [&[u8]; 3] = [b"user.", b"system.posix_acl_", b"security.capability"];

/// The names of those that a file has; of a link, its own.
pub fn attributes(path: &Path) -> io::Result<Vec<CString>> {
    let mut list = Vec::with_capacity(LIST);
    match llistxattr(path, spare_capacity(&mut list)) {
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        listed => listed?,
    };
    let names = list.split_inclusive(|&byte| byte == 0);
    let names = names.filter_map(|name| CStr::from_bytes_with_nul(name).ok());
    let of_jobs = |name: &&CStr| OF_JOBS.iter().any(|of| name.to_bytes().starts_with(of));
    Ok(names.filter(of_jobs).map(CStr::to_owned).collect())
}
