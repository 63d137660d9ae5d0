//! A root of their own for the processes of the sandbox, of the library trees alone.
//!
//! Where the system allows own mounts, what may be read is all there is: nothing else has even a name. The
//! plan is made in the server; between fork and exec it is only carried out.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::landlock_rules::Readable;

/// Where the new root is put together. Nothing that scripts may read lies beneath it.
const PLACE: &str = "/proc";

/// Links of the old root that paths of programs and libraries go through.
const LINKS: &[&str] = &["/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"];

#[derive(Debug)]
enum Step {
    Folder(CString),
    File(CString),
    Link { to: CString, at: CString },
    Bind { from: CString, at: CString },
}

/// How to build the root.
#[derive(Debug)]
pub(crate) struct PrivateRoot {
    steps: Vec<Step>,
    place: CString,
}

fn text(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}

/// The place of `path` in the new root.
fn placed(path: &Path) -> PathBuf {
    Path::new(PLACE).join(path.strip_prefix("/").unwrap_or(path))
}

impl PrivateRoot {
    /// The plan for these files; none when a path cannot be handed to the kernel.
    pub fn plan(readable: &Readable) -> Option<Self> {
        let mut folders = BTreeSet::new();
        let mut links = Vec::new();
        for link in LINKS.iter().map(PathBuf::from) {
            if let Ok(to) = std::fs::read_link(&link) {
                links.push((to, link));
            }
        }
        let mut trees = Vec::new();
        for tree in &readable.trees {
            // A tree beneath another one is there already.
            let inside = readable
                .trees
                .iter()
                .any(|other| other != tree && tree.starts_with(other));
            if tree.is_dir() && !inside {
                folders.extend(tree.ancestors().map(Path::to_owned));
                trees.push(tree.clone());
            }
        }
        let mut files = Vec::new();
        for file in readable.files.iter().chain(&readable.programs) {
            let (Some(Ok(parent)), Some(name)) =
                (file.parent().map(Path::canonicalize), file.file_name())
            else {
                continue;
            };
            let at = parent.join(name);
            let inside = trees.iter().any(|tree| at.starts_with(tree));
            if file.is_file() && !inside {
                folders.extend(parent.ancestors().map(Path::to_owned));
                files.push((file.clone(), at));
            }
        }
        let mut steps = Vec::new();
        // Sorted, so a folder comes after the one that it is in.
        for folder in folders.iter().filter(|folder| folder.parent().is_some()) {
            steps.push(Step::Folder(text(&placed(folder))?));
        }
        for (to, link) in &links {
            steps.push(Step::Link {
                to: text(to)?,
                at: text(&placed(link))?,
            });
        }
        for tree in &trees {
            steps.push(Step::Bind {
                from: text(tree)?,
                at: text(&placed(tree))?,
            });
        }
        for (from, at) in &files {
            let at = text(&placed(at))?;
            steps.push(Step::File(at.clone()));
            steps.push(Step::Bind {
                from: text(from)?,
                at,
            });
        }
        Some(Self {
            steps,
            place: CString::new(PLACE).ok()?,
        })
    }

    /// Builds the root and moves into it. Called in a forked child that has its own mounts; makes system
    /// calls only. After a failure the old root is still there.
    #[expect(unsafe_code, reason = "mounts have no safe functions")]
    pub fn enter(&self) -> io::Result<()> {
        /// `struct mount_attr` of the kernel.
        #[repr(C)]
        struct Attributes {
            set: u64,
            clear: u64,
            propagation: u64,
            namespace: u64,
        }
        let none = std::ptr::null::<libc::c_char>();
        let place = self.place.as_ptr();
        // SAFETY: every pointer is to a C text that `self` or the program owns, or null where the call allows
        // it; the attributes live until the call returns.
        unsafe {
            check(libc::mount(
                none,
                c"/".as_ptr(),
                none,
                libc::MS_REC | libc::MS_PRIVATE,
                std::ptr::null(),
            ))?;
            check(libc::mount(
                c"tmpfs".as_ptr(),
                place,
                c"tmpfs".as_ptr(),
                libc::MS_NOSUID | libc::MS_NODEV,
                c"size=1m,mode=755".as_ptr().cast(),
            ))?;
            for step in &self.steps {
                match step {
                    Step::Folder(at) => check(libc::mkdir(at.as_ptr(), 0o755))?,
                    Step::File(at) => {
                        let file = libc::open(
                            at.as_ptr(),
                            libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY | libc::O_CLOEXEC,
                            0o644,
                        );
                        check(file)?;
                        libc::close(file);
                    }
                    Step::Link { to, at } => check(libc::symlink(to.as_ptr(), at.as_ptr()))?,
                    Step::Bind { from, at } => check(libc::mount(
                        from.as_ptr(),
                        at.as_ptr(),
                        none,
                        libc::MS_BIND | libc::MS_REC,
                        std::ptr::null(),
                    ))?,
                }
            }
            let attributes = Attributes {
                set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
                clear: 0,
                propagation: 0,
                namespace: 0,
            };
            if libc::syscall(
                libc::SYS_mount_setattr,
                libc::AT_FDCWD,
                place,
                libc::AT_RECURSIVE,
                &raw const attributes,
                std::mem::size_of::<Attributes>(),
            ) == -1
            {
                return Err(io::Error::last_os_error());
            }
            check(libc::chdir(place))?;
            let here = c".".as_ptr();
            if libc::syscall(libc::SYS_pivot_root, here, here) == -1 {
                return Err(io::Error::last_os_error());
            }
            // The old root now lies over the new one, at the place where this process is.
            check(libc::umount2(here, libc::MNT_DETACH))?;
            check(libc::chdir(c"/".as_ptr()))
        }
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
