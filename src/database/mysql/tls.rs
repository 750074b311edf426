//! TLS to MySQL and MariaDB, with the modes of the servers' own clients.

use mysql_async::SslOpts;

use crate::database::address::invalid_option;
use crate::database::error::DbError;

/// `ssl-mode`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) enum TlsMode {
    /// Never. The driver's default: passwords are hashed or encrypted all the same.
    #[default]
    Disabled,
    /// When the server can; whoever it is.
    Preferred,
    /// Always; whoever it is.
    Required,
    /// Always; the certificate must come from a known authority and be for this host.
    VerifyIdentity,
}

/// What a URL says about TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct TlsOptions {
    /// `ssl-mode`.
    pub(super) mode: TlsMode,
    /// `ssl-ca`: a PEM file with the only authorities to trust.
    ca: Option<String>,
    /// `ssl-cert`: a PEM file.
    certificate: Option<String>,
    /// `ssl-key`: a PEM file.
    key: Option<String>,
}

impl TlsOptions {
    /// Takes an option of the URL, if it is about TLS.
    pub(super) fn take(&mut self, key: &str, value: &str) -> Result<bool, DbError> {
        let yes = || match value {
            "true" | "" => Ok(true),
            "false" => Ok(false),
            _ => Err(invalid_option(key, "It is true or false.")),
        };
        match key.to_ascii_lowercase().replace('_', "-").as_str() {
            "ssl-mode" | "sslmode" => self.mode = mode(key, value)?,
            "require-ssl" => {
                if yes()? && self.mode < TlsMode::Required {
                    self.mode = TlsMode::Required;
                }
            }
            "verify-identity" => {
                if yes()? {
                    self.mode = TlsMode::VerifyIdentity;
                }
            }
            "verify-ca" => {
                if yes()? {
                    return Err(verify_ca(key));
                }
            }
            "ssl-ca" | "sslrootcert" => self.ca = Some(value.to_owned()),
            "ssl-cert" | "sslcert" => self.certificate = Some(value.to_owned()),
            "ssl-key" | "sslkey" => self.key = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The driver's options; none when there is to be no TLS.
    pub(super) fn build(&self) -> Result<Option<SslOpts>, DbError> {
        if self.mode == TlsMode::Disabled {
            return Ok(None);
        }
        if cfg!(not(feature = "mysql-tls")) {
            let hint = "This build of zdm has no TLS: build it with the feature mysql-tls.";
            let is_needed = self.mode != TlsMode::Preferred;
            return if is_needed { Err(invalid_option("ssl-mode", hint)) } else { Ok(None) };
        }
        install_provider();
        let verifies = self.mode == TlsMode::VerifyIdentity;
        let mut opts = SslOpts::default().with_danger_accept_invalid_certs(!verifies);
        if let Some(ca) = &self.ca {
            let path = std::path::PathBuf::from(ca);
            opts = opts.with_root_certs(vec![path.into()]).with_disable_built_in_roots(true);
        }
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.key) {
            opts = with_identity(opts, certificate, key);
        }
        Ok(Some(opts))
    }
}

fn mode(key: &str, value: &str) -> Result<TlsMode, DbError> {
    Ok(match value.to_ascii_uppercase().replace('-', "_").as_str() {
        "DISABLED" | "DISABLE" => TlsMode::Disabled,
        "PREFERRED" | "PREFER" => TlsMode::Preferred,
        "REQUIRED" | "REQUIRE" => TlsMode::Required,
        "VERIFY_IDENTITY" | "VERIFY_FULL" => TlsMode::VerifyIdentity,
        "VERIFY_CA" => return Err(verify_ca(key)),
        _ => {
            return Err(invalid_option(
                key,
                "It is DISABLED, PREFERRED, REQUIRED or VERIFY_IDENTITY.",
            ));
        }
    })
}

/// The driver's switch for it does nothing with rustls (`mysql_async` issue 404).
fn verify_ca(key: &str) -> DbError {
    invalid_option(key, "zdm cannot verify the authority alone: use ssl-mode=VERIFY_IDENTITY.")
}

/// The driver takes the process's provider, and panics when there are two to choose from. One that the application has
/// installed stays.
#[cfg(feature = "mysql-tls")]
fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none()
        && rustls::crypto::ring::default_provider().install_default().is_err()
    {
        tracing::debug!("another thread installed a TLS provider first");
    }
}

#[cfg(not(feature = "mysql-tls"))]
fn install_provider() {}

#[cfg(feature = "mysql-tls")]
fn with_identity(opts: SslOpts, certificate: &str, key: &str) -> SslOpts {
    let certificate = std::path::PathBuf::from(certificate);
    let key = std::path::PathBuf::from(key);
    opts.with_client_identity(Some(mysql_async::ClientIdentity::new(
        certificate.into(),
        key.into(),
    )))
}

#[cfg(not(feature = "mysql-tls"))]
fn with_identity(opts: SslOpts, _certificate: &str, _key: &str) -> SslOpts {
    opts
}
