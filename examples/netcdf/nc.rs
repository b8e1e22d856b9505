//! The little of netCDF that the example needs, behind names that cannot be misused, except from two threads at a time: that
//! the library itself cannot stand.
#![expect(unsafe_code, reason = "a library in C is what this example is about")]

use std::ffi::{CStr, CString, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use netcdf_sys as nc;

const NAME: &CStr = c"values";

/// A file that is closed when it is dropped.
struct File(c_int);

/// Writes a file with one variable.
pub(crate) fn write(path: &Path, values: &[f64]) -> Result<(), String> {
    let (path, mut file, mut dimension, mut variable) = (c_string(path)?, File(0), 0, 0);
    // SAFETY: the name is a C string that lives as long as the call, and the number has room for a file; so below.
    done(unsafe { nc::nc_create(path.as_ptr(), nc::NC_CLOBBER, &raw mut file.0) })?;
    // SAFETY: the file is open, and what is lent lives as long as the call; so below.
    done(unsafe { nc::nc_def_dim(file.0, NAME.as_ptr(), values.len(), &raw mut dimension) })?;
    // SAFETY: one dimension is announced, and one is lent.
    done(unsafe { nc::nc_def_var(file.0, NAME.as_ptr(), nc::NC_DOUBLE, 1, &raw const dimension, &raw mut variable) })?;
    // SAFETY: see above.
    done(unsafe { nc::nc_enddef(file.0) })?;
    // SAFETY: as many doubles are read as the dimension has, which are those that are lent.
    done(unsafe { nc::nc_put_var_double(file.0, variable, values.as_ptr()) })
}

/// Reads what [`write()`] has written.
pub(crate) fn read(path: &Path) -> Result<Vec<f64>, String> {
    let (path, mut file, mut dimension, mut variable, mut len) = (c_string(path)?, File(0), 0, 0, 0);
    // SAFETY: see above.
    done(unsafe { nc::nc_open(path.as_ptr(), nc::NC_NOWRITE, &raw mut file.0) })?;
    // SAFETY: see above.
    done(unsafe { nc::nc_inq_dimid(file.0, NAME.as_ptr(), &raw mut dimension) })?;
    // SAFETY: see above.
    done(unsafe { nc::nc_inq_dimlen(file.0, dimension, &raw mut len) })?;
    // SAFETY: see above.
    done(unsafe { nc::nc_inq_varid(file.0, NAME.as_ptr(), &raw mut variable) })?;
    let mut values = vec![0.0; len];
    // SAFETY: as many doubles are written as the dimension has, for which there is room.
    done(unsafe { nc::nc_get_var_double(file.0, variable, values.as_mut_ptr()) })?;
    Ok(values)
}

/// What the library says of a number that it has returned.
fn done(status: c_int) -> Result<(), String> {
    if status == nc::NC_NOERR {
        return Ok(());
    }
    // SAFETY: it returns a C string that is never freed, whatever the number.
    let why = unsafe { CStr::from_ptr(nc::nc_strerror(status)) };
    Err(why.to_string_lossy().into_owned())
}

fn c_string(path: &Path) -> Result<CString, String> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| format!("{}: a name of a file has no zeros", path.display()))
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: it is open, and closed once. No file is ever number zero; of that there is nothing to close.
        unsafe { nc::nc_close(self.0) };
    }
}
