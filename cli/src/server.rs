//! The server asked, and what to make of its refusals.

use std::{error::Error as _, time::Duration};

use api::{
    transport::{Remote, TransportError, cause},
    v1::{
        AnomalyDetails, CommandOutcome, Containment, DescribeRequest, DescribeResponse,
        GetAnomalyRequest, GetGraphRequest, GetGraphResponse, ListAnomaliesRequest,
        ListAnomaliesResponse, ListContainmentsRequest, ListDetectorsRequest,
        ListDetectorsResponse, ListNodesRequest, ListNodesResponse, ListRequest, ListResponse,
        SignedCommand, SubscribeRequest, SubscribeResponse, TestNodesRequest,
        actions_client::ActionsClient, anomalies_client::AnomaliesClient,
        detectors_client::DetectorsClient, events_client::EventsClient, graph_client::GraphClient,
        nodes_client::NodesClient,
    },
};
use thiserror::Error;
use tonic::{Code, Request, Status, Streaming, transport::Channel};

use crate::{names::PodName, palette::harmless};

/// The longest to wait for an answer that needs no event.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than the collector waits for an agent.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(15);

/// Of one answer: all nodes of a cluster come in one, and tonic's 4 MiB are too few for them.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Server {
    remote: Remote,
}

#[derive(Debug, Error)]
pub enum ServerError {
    #[error(transparent)]
    Connect(#[from] TransportError),
    #[error(
        "{server} lists no past events: it is an agent, or not a gRPC port; add --follow for an agent's \
         new events, or give the collector's address with --server"
    )]
    NoPast { server: String },
    #[error(
        "{server} lists no nodes: it is not a gRPC port of Picket; those are 7400 of the collector and \
         7401 of the agent, unless configured otherwise"
    )]
    NoNodes { server: String },
    #[error("the agent did not obey: {message}")]
    NotObeyed { message: String },
    #[error("{server} knows no node `{node}`; `picket status` lists those it knows")]
    NoNode { server: String, node: String },
    #[error("cannot go on after that cursor at {server}: {message}; start again without --after")]
    BeyondLog { server: String, message: String },
    #[error("{server} refused the request: {message}; correct it and try again")]
    Refused { server: String, message: String },
    #[error(
        "{server} did not answer: {message}; check that it runs, and that --server names its gRPC port"
    )]
    Away { server: String, message: String },
    #[error("{server} failed: {message}; its log says more")]
    Failed { server: String, message: String },
}

impl ServerError {
    /// Whether trying again may help.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Connect(_) | Self::Away { .. } | Self::Failed { .. }
        )
    }
}

impl Server {
    pub(crate) fn new(remote: Remote) -> Self {
        Self { remote }
    }

    /// One page of past events.
    pub(crate) async fn page(&self, request: ListRequest) -> Result<ListResponse, ServerError> {
        let answer = self.events().await?.list(self.prompt(request)?).await;
        Ok(answer
            .map_err(|status| match status.code() {
                Code::Unimplemented => ServerError::NoPast {
                    server: self.remote.to_string(),
                },
                _ => self.explain(&status),
            })?
            .into_inner())
    }

    pub(crate) async fn subscribe(
        &self,
        request: SubscribeRequest,
    ) -> Result<Streaming<SubscribeResponse>, ServerError> {
        let request = self.remote.authorize(request)?;
        let answer = self.events().await?.subscribe(request).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn nodes(&self) -> Result<ListNodesResponse, ServerError> {
        let channel = self.remote.connect().await?;
        let mut client = NodesClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
        let answer = client.list(self.prompt(ListNodesRequest {})?).await;
        Ok(answer
            .map_err(|status| match status.code() {
                Code::Unimplemented => ServerError::NoNodes {
                    server: self.remote.to_string(),
                },
                _ => self.explain(&status),
            })?
            .into_inner())
    }

    pub(crate) async fn anomalies(
        &self,
        request: ListAnomaliesRequest,
    ) -> Result<ListAnomaliesResponse, ServerError> {
        let answer = self.of_anomalies().await?.list(self.prompt(request)?).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn anomaly(&self, id: String) -> Result<AnomalyDetails, ServerError> {
        let request = self.prompt(GetAnomalyRequest { id })?;
        let answer = self.of_anomalies().await?.get(request).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn graph(
        &self,
        request: GetGraphRequest,
    ) -> Result<GetGraphResponse, ServerError> {
        let channel = self.remote.connect().await?;
        let mut client = GraphClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
        let answer = client.get(self.prompt(request)?).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn detectors(&self) -> Result<ListDetectorsResponse, ServerError> {
        let channel = self.remote.connect().await?;
        let mut client = DetectorsClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
        let answer = client.list(self.prompt(ListDetectorsRequest {})?).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    async fn of_anomalies(&self) -> Result<AnomaliesClient<Channel>, ServerError> {
        let channel = self.remote.connect().await?;
        Ok(AnomaliesClient::new(channel).max_decoding_message_size(LARGEST_ANSWER))
    }

    /// Asks every agent to scan itself; those that were asked, and nobody when the server cannot ask.
    pub(crate) async fn test(&self, id: &str) -> Result<Vec<String>, ServerError> {
        let mut client = NodesClient::new(self.remote.connect().await?);
        let request = self.prompt(TestNodesRequest { id: id.to_owned() })?;
        match client.test(request).await {
            Ok(answer) => Ok(answer.into_inner().nodes),
            // It is an agent, or older.
            Err(status) if status.code() == Code::Unimplemented => Ok(Vec::new()),
            Err(status) => Err(self.explain(&status)),
        }
    }

    pub(crate) async fn describe(&self, pod: &PodName) -> Result<DescribeResponse, ServerError> {
        let request = self.prompt(DescribeRequest {
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
        })?;
        let answer = self.actions().await?.describe(request).await;
        Ok(answer.map_err(|status| self.explain(&status))?.into_inner())
    }

    pub(crate) async fn containments(&self) -> Result<Vec<Containment>, ServerError> {
        let request = self.prompt(ListContainmentsRequest {})?;
        let answer = self.actions().await?.list_containments(request).await;
        let answer = answer.map_err(|status| self.explain(&status))?;
        Ok(answer.into_inner().containments)
    }

    pub(crate) async fn command(
        &self,
        command: SignedCommand,
    ) -> Result<CommandOutcome, ServerError> {
        let mut request = self.remote.authorize(command)?;
        request.set_timeout(COMMAND_TIMEOUT);
        let answer = self.actions().await?.command(request).await;
        Ok(answer
            .map_err(|status| match status.code() {
                Code::FailedPrecondition => ServerError::NotObeyed {
                    message: harmless(status.message()),
                },
                _ => self.explain(&status),
            })?
            .into_inner())
    }

    async fn actions(&self) -> Result<ActionsClient<Channel>, ServerError> {
        Ok(ActionsClient::new(self.remote.connect().await?))
    }

    async fn events(&self) -> Result<EventsClient<Channel>, ServerError> {
        let channel = self.remote.connect().await?;
        Ok(EventsClient::new(channel).max_decoding_message_size(LARGEST_ANSWER))
    }

    pub(crate) fn explain(&self, status: &Status) -> ServerError {
        let server = self.remote.to_string();
        // It goes to a terminal, in a note or in the last error.
        let message = harmless(&cause(status));
        match status.code() {
            Code::OutOfRange => ServerError::BeyondLog { server, message },
            Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::Unimplemented => ServerError::Refused { server, message },
            // Unknown is what tonic makes of a broken connection or of a server that is not gRPC.
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                ServerError::Away { server, message }
            }
            // A server's own refusal has no source; this is what h2 made of a broken connection.
            Code::Internal if status.source().is_some() => ServerError::Away { server, message },
            _ => ServerError::Failed { server, message },
        }
    }

    pub(crate) fn knows_no_node(&self, node: &str) -> ServerError {
        ServerError::NoNode {
            server: self.remote.to_string(),
            node: node.to_owned(),
        }
    }

    /// What a stream without news says of its server.
    pub(crate) fn silent(&self, message: &str) -> ServerError {
        ServerError::Away {
            server: self.remote.to_string(),
            message: message.to_owned(),
        }
    }

    fn prompt<T>(&self, message: T) -> Result<Request<T>, ServerError> {
        let mut request = self.remote.authorize(message)?;
        request.set_timeout(ANSWER_TIMEOUT);
        Ok(request)
    }
}
