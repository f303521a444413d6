//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args as Group, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use fleet_diff::Schemas;
use fleet_kube::Named;

use crate::place::PlaceArgs;

/// Makes a folder of manifests true in many clusters.
///
/// The folder holds one folder per cluster (a kubeconfig context), with YAML or JSON manifests in it, and a file
/// `fleet.yaml` with settings. A cluster without a folder is not part of the fleet and is not contacted. In the place of
/// the folder may be a server, and in the place of contexts Secrets of a cluster.
///
/// Exit codes: 0 nothing to do, or done; 2 something would change, or less was changed than asked; 1 error.
#[derive(Parser, Debug)]
#[command(version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Shows what would be done in each cluster; changes nothing.
    Plan {
        #[command(flatten)]
        common: Common,
    },
    /// Makes each cluster what the inventory says, once.
    Apply {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        wave: WaveArgs,
        /// Confirms the deletes that a plan's token covers. May be given once per cluster.
        #[arg(long = "confirm", value_name = "TOKEN")]
        confirm: Vec<String>,
    },
    /// Keeps each cluster what the inventory says, until interrupted.
    Run {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        wave: WaveArgs,
        /// Seconds between two reads of the inventory.
        #[arg(long, value_name = "SECONDS", default_value_t = 10)]
        interval: u64,
        /// Also reads once a minute what each cluster can carry: all its nodes and pods. `status` shows it.
        #[arg(long)]
        capacity: bool,
    },
    /// Shows what each cluster has, lacks, and waits for.
    Status {
        #[command(flatten)]
        common: Common,
        /// Lists instead what nobody answers for: objects that no controller, no inventory and no such tool as Helm, Argo CD
        /// or Flux owns. Reads the metadata of every object once.
        #[arg(long)]
        unmanaged: bool,
        /// Also reads what each cluster can carry, all its nodes and pods, unless that was read within the last minute.
        /// Without this, what was read last is shown.
        #[arg(long, conflicts_with = "unmanaged")]
        capacity: bool,
    },
    /// Confirms that a cluster which was restored from a backup goes on from there. Look at its plan first: what was deleted
    /// since the backup is back, and is deleted again. Whoever keeps the fleet takes it in within its interval.
    ///
    /// Exit codes: 0 done; 1 error, or there is nothing to confirm.
    Accept {
        /// The cluster.
        name: String,
        /// Kubeconfig with a context per cluster; what was observed is in a file beside it.
        #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
        kubeconfig: PathBuf,
    },
    /// Says why an object is as it is: whose it is, how it stands, and of each field the verdict, the rule and the
    /// owners. Changes nothing.
    ///
    /// Exit codes: 0 it is as defined, or not ours; 2 something would be done with it, or is held up; 1 error, or there
    /// is no such object.
    Explain(ExplainArgs),
    /// Says what applying a definition would do to an object, field by field. Contacts no cluster.
    ///
    /// Exit codes: 0 nothing would change but perhaps owners; 2 something would, or it cannot be done or said; 1 error.
    Diff(DiffArgs),
    /// Decides on which clusters workloads run, and says why. Contacts no cluster.
    ///
    /// Files are YAML or JSON; `examples/reference` has every field of them with a comment. What cannot be read of a cluster, or of
    /// where everything is, is an error, and nothing is decided; a workload that cannot be read or understood is told, stays
    /// where it is, and stops no other.
    ///
    /// Exit codes: 0 everything has its place, and that is where it was, if `--previous` says so; 2 something would
    /// change, has no place, does not answer, waits, is invalid, or matches no cluster; 1 error.
    Place(Box<PlaceArgs>),
}

#[derive(Group, Debug, Clone)]
pub(crate) struct DiffArgs {
    /// The definition: one object, in YAML or JSON. Without a namespace it is where the live object is, or in `default`.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "batch",
        conflicts_with = "batch"
    )]
    pub(crate) desired: Option<PathBuf>,
    /// The object as it is, with its `managedFields` (`kubectl get -o yaml --show-managed-fields`). Without this it is
    /// absent.
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    pub(crate) live: Option<PathBuf>,
    /// Who applies.
    #[arg(long, value_name = "NAME", default_value = "fleetctl")]
    pub(crate) manager: String,
    /// Takes fields from others instead of stopping at conflicts.
    #[arg(long)]
    pub(crate) force: bool,
    /// OpenAPI v3 documents, as a server answers `/openapi/v3/…`, and CRDs. May be given more than once.
    #[arg(long = "schema", value_name = "FILE")]
    pub(crate) schemas: Vec<PathBuf>,
    /// Version of the built-in kinds. Without this, the nearest to what `--schema` says, or the newest.
    #[arg(long, value_name = "VERSION", value_parser = PossibleValuesParser::new(Schemas::KUBERNETES))]
    pub(crate) kubernetes: Option<String>,
    /// Whose fields are whose: `builtin`, `none`, or a file with rules over the built-in ones. Except with `none`, rules
    /// in the definition's annotation `fleet.internal/rules` count before them.
    #[arg(long, value_name = "FILE|builtin|none", default_value = "builtin")]
    pub(crate) rules: PathBuf,
    /// Mutating webhook configurations, policies and their bindings, storage and ingress classes: what they may change
    /// is unsure. May be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) admission: Vec<PathBuf>,
    /// Answers questions from standard input, one JSON mapping a line: `desired`, `live`, and where wanted `manager`,
    /// `force`, and `memory` (the `FieldsV1` of our last write). Answers one JSON mapping a line.
    #[arg(long)]
    pub(crate) batch: bool,
    /// Shows fields that stay too.
    #[arg(long, conflicts_with = "batch")]
    pub(crate) all: bool,
    /// Shows the values of Secrets, and of fields that a rule calls sensitive.
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// How the result is printed.
    #[arg(long, short, value_enum, default_value_t, conflicts_with = "batch")]
    pub(crate) output: Output,
}

#[derive(Group, Debug, Clone)]
pub(crate) struct ExplainArgs {
    /// The object: `deployment web`, `deployment/web`, `deployments.apps web`.
    #[arg(value_names = ["KIND", "NAME"], num_args = 1..=2, required = true)]
    object: Vec<String>,
    /// Its namespace. Without this, the inventory's default namespace.
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// Shows the fields that the server keeps too, such as the status.
    #[arg(long)]
    pub(crate) all: bool,
    /// Shows the values of Secrets, and of fields that a rule calls sensitive.
    #[arg(long)]
    pub(crate) show_secrets: bool,
}

impl ExplainArgs {
    /// The object that is asked about.
    pub(crate) fn named(&self) -> Result<Named, String> {
        let (kind, name) = match self.object.as_slice() {
            [kind, name] => (kind.as_str(), name.as_str()),
            [both] => both.split_once('/').unwrap_or((both, "")),
            _ => ("", ""),
        };
        if kind.is_empty() || name.is_empty() || name.contains('/') {
            let given = self.object.join(" ");
            return Err(format!(
                "`{given}` names no object: write `KIND NAME` or `KIND/NAME`, and --namespace for its namespace"
            ));
        }
        let named = Named::new(kind, name);
        Ok(match &self.namespace {
            Some(namespace) => named.namespace(namespace),
            None => named,
        })
    }
}

#[derive(Group, Debug, Clone)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) inventory: InventoryArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// Only this cluster, by its context or other name; may be given more than once.
    #[arg(long = "context", value_name = "NAME")]
    pub(crate) contexts: Vec<String>,
    /// Whose fields are whose: `builtin`, `none`, or a file with rules over the built-in ones. Except with
    /// `none`, rules in annotations `fleet.internal/rules` of definitions count before them.
    #[arg(long, value_name = "FILE|builtin|none", default_value = "builtin")]
    pub(crate) rules: PathBuf,
    /// What is healthy, beside what is built in: a file with rules in CEL.
    #[arg(long, value_name = "FILE")]
    pub(crate) health: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// Most seconds to wait for one cluster.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) timeout: u64,
}

#[derive(Group, Debug, Clone)]
pub(crate) struct InventoryArgs {
    /// Folder of the inventory; or the URL of a server, with `{cluster}` for the cluster's name.
    #[arg(long, short = 'i', value_name = "DIR|URL")]
    pub(crate) inventory: String,
    /// Settings, as in `fleet.yaml`, where the inventory is not a folder, which has its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Bearer token for the server; read again for each request.
    #[arg(long, value_name = "FILE")]
    pub(crate) inventory_token: Option<PathBuf>,
    /// Certificates that the server's is trusted by, instead of the system's.
    #[arg(long, value_name = "FILE")]
    pub(crate) inventory_ca: Option<PathBuf>,
    /// Certificate to show to the server.
    #[arg(long, value_name = "FILE", requires = "inventory_key")]
    pub(crate) inventory_certificate: Option<PathBuf>,
    /// Key of that certificate.
    #[arg(long, value_name = "FILE", requires = "inventory_certificate")]
    pub(crate) inventory_key: Option<PathBuf>,
}

#[derive(Group, Debug, Clone)]
pub(crate) struct RegistryArgs {
    /// Kubeconfig with a context per cluster; or with the hub's.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    pub(crate) kubeconfig: PathBuf,
    /// The clusters are the Secrets of this namespace of the hub, as `NAMESPACE` or `NAMESPACE/SELECTOR`.
    #[arg(long, value_name = "NAMESPACE[/SELECTOR]", requires = "hub")]
    pub(crate) clusters_from_secrets: Option<String>,
    /// Context of the hub in the kubeconfig.
    #[arg(long, value_name = "CONTEXT", requires = "clusters_from_secrets")]
    pub(crate) hub: Option<String>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Output {
    /// For people, coloured on a terminal.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Group, Debug, Clone)]
pub(crate) struct WaveArgs {
    /// The cluster that gets a change first; the others follow when it has converged.
    #[arg(long, value_name = "NAME")]
    first: Option<String>,
    /// Most seconds the first cluster may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    first_timeout: u64,
    /// `all`: every cluster at once.
    #[arg(long, value_enum, default_value_t)]
    wave: Wave,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Wave {
    /// One cluster first, then the rest.
    #[default]
    First,
    /// All at once.
    All,
}

impl WaveArgs {
    /// The cluster that is to go first, if one is named and anyone goes first.
    pub(crate) fn first(&self) -> Option<&str> {
        self.first.as_deref().filter(|_| self.wave == Wave::First)
    }

    pub(crate) fn wave(&self) -> fleet_kube::Wave {
        match self.wave {
            Wave::All => fleet_kube::Wave::All,
            Wave::First => fleet_kube::Wave::FirstThenRest {
                first: self.first.clone(),
                first_max: Duration::from_secs(self.first_timeout),
            },
        }
    }
}
