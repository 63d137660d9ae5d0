//! Sockets between the server and the warm process.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

/// Sends `data` together with one file. True when all of it was taken.
pub(crate) fn send_with_file(control: &UnixStream, data: &[u8; 8], file: BorrowedFd<'_>) -> bool {
    #[repr(C, align(8))]
    struct Space([u8; 64]);
    let mut space = Space([0; 64]);
    let mut copy = *data;
    let mut part = libc::iovec {
        iov_base: copy.as_mut_ptr().cast(),
        iov_len: copy.len(),
    };
    let size = std::mem::size_of::<libc::c_int>() as libc::c_uint;
    #[expect(unsafe_code, reason = "the standard library cannot send files yet")]
    // SAFETY: CMSG_SPACE, CMSG_LEN and CMSG_DATA only compute; the control buffer is aligned as a header needs
    // and larger than one header with one file number, so CMSG_FIRSTHDR is not null and the write is inside
    // it; every pointer in the message lives until sendmsg returns.
    let sent = unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = space.0.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(size) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        if header.is_null() {
            return false;
        }
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size) as _;
        std::ptr::write_unaligned(libc::CMSG_DATA(header).cast(), file.as_raw_fd());
        libc::sendmsg(control.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
    };
    usize::try_from(sent).is_ok_and(|sent| sent == data.len())
}

/// A stream with a point in time after which reading and writing fail.
pub(crate) struct Timed<'a> {
    pub stream: &'a UnixStream,
    pub until: Instant,
}

impl Timed<'_> {
    fn left(&self) -> std::io::Result<std::time::Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        let mut stream = self.stream;
        stream.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        let mut stream = self.stream;
        stream.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether an error means that the time was up.
pub(crate) fn timed_out(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    )
}
